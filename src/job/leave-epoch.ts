import { HoldfastError } from '../errors/error.ts';
import { lineageOf } from '../log/cover.ts';
import type { History, Left, Listing } from '../log/log.ts';
import { openLog } from '../log/store.ts';
import type { RescuedEnd } from '../source/in-place.ts';
import type { LogPlace, LogWork } from '../source/log.ts';

export interface Leaving {
  readonly stream: string;
  /** The newest epoch of what was left, and up to where it was written. */
  readonly end: RescuedEnd;
  /** The epoch of what goes on in its place; undefined where nobody knows. */
  readonly goesOn: number | undefined;
  /** For people. */
  readonly reason: string;
}

/** Says in each place of a log which epochs were left; resolves with those that couldn't be told, each with a warning. */
export async function leaveEpoch(work: LogWork, leaving: Leaving): Promise<readonly string[]> {
  const untold: string[] = [];
  for (const place of work.places) {
    try {
      await leaveIn(place, work.component, leaving);
    } catch (error) {
      work.signal.throwIfAborted();
      if (!(error instanceof HoldfastError)) throw error;
      untold.push(place.repository);
      const message = `it doesn’t say that timeline ${leaving.end.epoch} was left: ${error.message}`;
      work.listener({ kind: 'warning', during: 'log', item: place.repository, message });
    }
  }
  return untold;
}

async function leaveIn(place: LogPlace, component: string, { stream, reason, ...leaving }: Leaving): Promise<void> {
  await using repository = await place.open();
  const store = openLog(repository, { component, stream });
  const listing = await store.list();
  const histories = await Promise.all(listing.histories.map(async (epoch) => await store.getHistory(epoch)));
  for (const left of leftOf(leaving, listing, histories)) await store.putLeft(left, reason);
}

/**
 * The newest epoch, and those it came through that what goes on did not. None where that goes on with the very epoch, nor
 * where what is held under its number is another one: it would be that which is said to be left.
 */
export function leftOf(
  { end: { epoch, at, origin }, goesOn }: Pick<Leaving, 'end' | 'goesOn'>,
  listing: Pick<Listing, 'segments' | 'pieces'>,
  histories: readonly History[],
): readonly Left[] {
  const held = histories.find((one) => one.epoch === epoch);
  if (goesOn === epoch || (origin && held && Buffer.compare(origin, held.bytes) !== 0)) return [];
  const [own, other] = [epoch, goesOn].map((one) => one && lineageOf(one, histories));
  if (!own || !other) return [{ epoch, at: endIn(listing, { epoch, at, before: undefined }) }];
  return own.epochs
    .filter((one) => other.epochs.every((theirs) => theirs.epoch !== one.epoch))
    .map((one) => ({ epoch: one.epoch, at: endIn(listing, { epoch: one.epoch, at: one.to ?? at, before: one.to }) }));
}

interface EndOf extends Left {
  /** Where another epoch was forked from it: who goes on with it elsewhere writes behind that. */
  readonly before: bigint | undefined;
}

/** A segment is whole in a place though its end means nothing: what was handed over before it was left is left too. */
function endIn({ segments, pieces }: Pick<Listing, 'segments' | 'pieces'>, { epoch, at, before }: EndOf): bigint {
  const parts = [...segments, ...pieces.map((one) => ({ ...one, epoch: one.segment.epoch }))];
  return parts
    .filter((one) => one.epoch === epoch && (before === undefined || one.from < before))
    .reduce((most, { to }) => (to > most ? to : most), at);
}
