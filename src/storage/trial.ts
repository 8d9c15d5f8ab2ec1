import type { Clock } from '../clock/clock.ts';
import { hasCode, HoldfastError } from '../errors/error.ts';
import type { Listener, Warning } from '../events/events.ts';
import { withDeadline } from '../flow/abort.ts';
import type { Storage } from './storage.ts';
import { clearBelow } from './trial/clear.ts';

import { clearDeadRuns, clearRun } from './trial/dead-runs.ts';
import { markerOf, newRunName, trialRoot } from './trial/run-name.ts';
import { ownPlace, packPlace, type Place } from './trial/place.ts';
import { watched } from './trial/watched.ts';

/**
 * A run that tries a storage. What it stores stands at places of its own below one prefix that names the run, so that a
 * repository may be there, and all of it is gone when the run ends, also by a signal. What a kill leaves, the next run
 * removes: that of a process of this host at once, that of another host's after a day.
 *
 * A storage that holds restic's names only must have no repository: what is tried are packs without an index, which
 * others would take for damage. Each run stores the same ones there, so that the next one removes what a kill left.
 */
export interface Trial {
  /** Its calls are given up when the run is to end. */
  readonly storage: Storage;
  /** A place that nobody else has, by a name that is a segment of a key. */
  readonly place: (name: string) => Place;
  /** To be called when a place is done with: where others may want the same names, it is cleared. */
  readonly leave: (place: Place) => Promise<void>;
}

export interface TrialContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly listener: Listener;
}

export interface Tried<T> {
  readonly outcome: T;
  readonly remains: Remains;
}

/** What of a run couldn't be removed. */
export interface Remains {
  /** Objects: empty but for a broken storage. */
  readonly left: readonly string[];
  /** Old versions and markers that nobody sees, on a bucket that keeps them. */
  readonly versions: number;
  /** Why versions stay, or nobody knows whether something does that isn't seen. */
  readonly refusal?: unknown;
}

/** How long who was told to end may take to clear up; what then stays is a dead run's. */
const lastClearingMs = 60_000;

/** Runs `body`, and clears up whatever came of it. */
export async function inTrial<T>(
  storage: Storage,
  context: TrialContext,
  body: (trial: Trial) => Promise<T>,
): Promise<Tried<T>> {
  const { clock, signal } = context;
  const ground = storage.capabilities.ownPrefixes ? await ownGround(storage, context) : await packGround(storage);
  const { storage: tried, settle } = watched(storage, signal);
  const trial: Trial = {
    storage: tried,
    place: ground.place,
    leave: async (place) => {
      if (!storage.capabilities.ownPrefixes) await clearBelow(tried, place.prefix, place.holds, {});
    },
  };
  const clear = async (end: AbortSignal): Promise<Remains> => {
    await settle(end);
    return await ground.clear({ signal: end });
  };
  try {
    const outcome = await body(trial);
    signal.throwIfAborted();
    return { outcome, remains: await clear(signal) };
  } catch (error) {
    const late = (): Error => new HoldfastError('storage-timeout', `${storage.url} could not be cleared in time`);
    const trouble = await troubleIn(withDeadline({ ms: lastClearingMs, clock, error: late }, clear));
    if (trouble !== undefined) context.listener(leftWarning(storage, trouble));
    throw error;
  }
}

async function troubleIn(clearing: Promise<Remains>): Promise<unknown> {
  try {
    const { left } = await clearing;
    return left.length > 0 ? `${left.length} objects stay` : undefined;
  } catch (error) {
    return error;
  }
}

interface Ground {
  readonly place: Trial['place'];
  readonly clear: (wait: { readonly signal: AbortSignal }) => Promise<Remains>;
}

async function ownGround(storage: Storage, { clock, signal, listener }: TrialContext): Promise<Ground> {
  await clearDeadRuns(storage, clock.nowNs(), { signal }).catch((trouble: unknown) => {
    signal.throwIfAborted();
    listener(leftWarning(storage, trouble));
  });
  const prefix = `${trialRoot}${newRunName(clock.nowNs())}/`;
  await storage.put(markerOf(prefix), [Buffer.from('a run of `holdfast doctor storage`\n')], { signal });
  return {
    place: (name) => ownPlace(`${prefix}${name}/`),
    clear: (wait) => clearRun(storage, prefix, clock.nowNs(), wait),
  };
}

async function packGround(storage: Storage): Promise<Ground> {
  await demandNoRepository(storage);
  const places: Place[] = [];
  return {
    place: () => {
      const place = packPlace();
      places.push(place);
      return place;
    },
    clear: (wait) => clearBelow(storage, 'data/', (key) => places.some((place) => place.holds(key)), wait),
  };
}

async function demandNoRepository(storage: Storage): Promise<void> {
  try {
    await storage.stat('config');
  } catch (error) {
    if (hasCode(error, 'storage-not-found')) return;
    throw error;
  }
  throw new HoldfastError(
    'unsupported',
    `${storage.url} holds a repository and can't hold keys outside its layout, so nothing can be tried there`,
    { next: 'Give another address on the same server, where nothing is yet. Nothing was changed.' },
  );
}

function leftWarning({ url }: Storage, trouble: unknown): Warning {
  const message = `what was tried there couldn't be removed: ${trouble instanceof Error ? trouble.message : String(trouble)}`;
  return { kind: 'warning', during: 'doctor', item: url, message };
}
