import { HoldfastError } from '../../../errors/error.ts';
import { orAborted } from '../../../flow/abort.ts';
import type { Sighting } from '../../../log/log.ts';
import type { LogWork } from '../../log.ts';
import type { Place } from './place.ts';

export interface Seeing extends Pick<LogWork, 'component' | 'clock' | 'listener'> {
  readonly places: readonly Seen[];
  /** Of what every required place has; undefined while nobody knows. */
  readonly sighting: () => Sighting | undefined;
  readonly everyMs: number;
}

type Seen = Pick<Place, 'store' | 'durable' | 'repository'>;

const firstMs = 3_000;

/** Says in each place when all that the server had written was there: an idle server isn't one that nobody follows. */
export async function tellSightings({ everyMs, sighting, ...seeing }: Seeing, signal: AbortSignal): Promise<void> {
  let toldNs = 0n;
  for (let waitMs = firstMs; ; waitMs = everyMs) {
    await seeing.clock.sleep(waitMs, signal);
    const seen = sighting();
    // Not "older": the sighting of before a clock was put back would stand until the clock is there again.
    if (seen === undefined || seen.timeNs === toldNs) continue;
    for (const place of seeing.places) await tell(place, seen, seeing, signal);
    toldNs = seen.timeNs;
  }
}

/** Where it is true. */
async function tell(
  { store, durable, repository }: Seen,
  seen: Sighting,
  { component, listener }: Pick<Seeing, 'component' | 'listener'>,
  signal: AbortSignal,
): Promise<void> {
  if (store === undefined || durable === undefined || durable < seen.at) return;
  try {
    await orAborted(store.putSighting(seen), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof HoldfastError)) throw error;
    listener({ kind: 'note', name: 'log-sighting-failed', data: { component, repository, reason: error.message } });
  }
}
