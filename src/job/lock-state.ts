import { HoldfastError } from '../errors/error.ts';
import type { LockState } from '../objective/immutable.ts';
import type { StoredCopy } from '../point/point.ts';
import { lockReadings, type LockReading } from '../repository/lock-memory.ts';
import { readLocks } from '../repository/read-locks.ts';
import type { Needs } from '../repository/retain.ts';
import type { Repository } from '../repository/repository.ts';
import { contextIn, type ComponentContext } from './component.ts';
import { needsOf } from './immutable.ts';
import { inRepository, type JobContext } from './job.ts';
import { loadReadableIndex } from './readable-index.ts';

/** A reading that is younger is not made again: a lock may be moved away, and hardly ever nearer. */
const freshNs = 86_400_000_000_000n;
/** More objects than these a status doesn't ask for. */
const mostAsked = 1000;

/**
 * Until when nobody can remove what a copy needs: config, keys, indexes, the snapshot and its packs, each as the storage
 * says of the version that counts. What was read within a day, here or by `check --locks`, is not read again, and where
 * there is too much to ask for, an older reading serves; either way it is told when it was read. Never throws for what
 * is wrong there: then nothing is known.
 */
export async function readLockState(
  context: ComponentContext,
  { repository: name, snapshot }: StoredCopy,
): Promise<LockState> {
  const reading = async (repository: Repository, signal: AbortSignal): Promise<LockState> => {
    const within = { ...contextIn(context, name), signal };
    const readings = await lockReadings(context.cacheFolder, repository, context.clock);
    const known = readings.get(snapshot.id);
    if (known !== undefined && isFresh(known, context.clock.nowNs())) return { state: 'locked', ...known };
    if (!repository.storage.versions) return { state: 'not locked', lacking: 'it keeps no versions' };
    await loadReadableIndex(repository, context.listener);
    const needs = await needsOf(repository, { snapshots: [snapshot.id], trees: [snapshot.tree] }, within);
    const count = [...needs.packs].length;
    if (count > mostAsked) return tooMany(count, known);
    const state = await ask(repository, needs, within);
    if (state.state !== 'locked') return state;
    readings.set(snapshot.id, state);
    await readings.save();
    return state;
  };
  try {
    return await inRepository(contextIn(context, name), 'read', reading);
  } catch (error) {
    if (!(error instanceof HoldfastError) || context.signal.aborted) throw error;
    return { state: 'unknown', reason: error.message };
  }
}

/** One from the future was read by a wrong clock: nobody knows how old it is. */
function isFresh({ readNs }: LockReading, nowNs: bigint): boolean {
  return readNs <= nowNs && nowNs - readNs < freshNs;
}

function tooMany(count: number, known: LockReading | undefined): LockState {
  if (known !== undefined) return { state: 'locked', ...known };
  return { state: 'unknown', reason: `it needs ${count} packs; \`check --locks\` asks for them all` };
}

async function ask(repository: Repository, needs: Needs, { clock, signal }: JobContext): Promise<LockState> {
  const readNs = clock.nowNs();
  const { untilNs, mode, unlocked } = await readLocks(repository, needs, signal);
  const [first] = unlocked;
  if (first === undefined && untilNs !== undefined) return { state: 'locked', untilNs, mode, readNs };
  return { state: 'not locked', lacking: `${unlocked.length} objects that it needs have no lock, such as ${first}` };
}
