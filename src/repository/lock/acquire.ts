import type { FileId } from '../../bytes/ids.ts';
import type { Clock } from '../../clock/clock.ts';
import { HoldfastError, hasCode } from '../../errors/error.ts';
import type { Repository } from '../repository.ts';
import { shortName } from '../layout.ts';
import { describeLock, encodeLock, readLocks, type LockFile, type LockHolder } from './lock-file.ts';

/** A lock written before this long is seen by whoever lists after it, where listings lag behind. */
export const settleMs = 200;
/** Pauses before a lock that can't be read is read again: the storage may need time. */
const unreadablePausesMs = [5_000, 10_000, 20_000];

export interface Wanted {
  readonly repository: Repository;
  readonly clock: Clock;
  readonly holder: LockHolder;
  readonly exclusive: boolean;
  readonly signal: AbortSignal;
}

/**
 * One attempt: 'locked' when somebody else's lock conflicts, or can't be read. Of two that write at the same time, the
 * one that lists last sees the other's lock; where listings may lag behind, both wait before they list, as restic does.
 */
export async function acquireOnce(wanted: Wanted): Promise<LockFile> {
  const { repository, clock, signal } = wanted;
  await checkForOthers(wanted);
  const lock = await writeLock(wanted);
  try {
    if (!repository.storage.capabilities.listsAtOnce) await clock.sleep(settleMs, signal);
    await checkForOthers(wanted, lock.id);
    return lock;
  } catch (error) {
    await removeLock(repository, lock.id);
    throw error;
  }
}

export async function writeLock({ repository, clock, holder, exclusive }: Wanted): Promise<LockFile> {
  const lock = { ...holder, exclusive, timeNs: clock.nowNs() };
  return { ...lock, id: await repository.writeFile('locks', encodeLock(lock)) };
}

/** Succeeds too when somebody (`unlock`) removed it already. */
export async function removeLock(repository: Repository, id: FileId): Promise<void> {
  try {
    await repository.removeFile('locks', id);
  } catch (error) {
    if (!hasCode(error, 'storage-not-found')) throw error;
  }
}

async function checkForOthers({ repository, clock, exclusive, signal }: Wanted, own?: FileId): Promise<void> {
  const harmless = new Set<FileId>(own === undefined ? [] : [own]);
  for (const pauseMs of [...unreadablePausesMs, undefined]) {
    const unreadable = await readOthers(repository, exclusive, harmless);
    if (unreadable === undefined) return;
    if (pauseMs === undefined) throw unreadable;
    await clock.sleep(pauseMs, signal);
  }
}

/** Throws on a conflict. Adds the locks that don't conflict to `harmless`; an unreadable one is the answer. */
async function readOthers(
  repository: Repository,
  exclusive: boolean,
  harmless: Set<FileId>,
): Promise<Error | undefined> {
  let unreadable: Error | undefined;
  for (const { id, lock } of await readLocks(repository, harmless)) {
    if (lock instanceof Error) unreadable = unreadableLock(id, lock);
    else if (exclusive || lock.exclusive) throw conflict(lock);
    else harmless.add(id);
  }
  return unreadable;
}

function conflict(lock: LockFile): HoldfastError {
  return new HoldfastError('locked', `the repository is locked ${describeLock(lock)}`);
}

function unreadableLock(id: FileId, cause: Error): Error {
  if (!hasCode(cause, 'damaged')) return cause;
  return new HoldfastError('locked', `${shortName('locks', id)} can't be read: ${cause.message}`, {
    cause,
    next: 'When nobody works on the repository, remove it with `holdfast unlock --remove-all`.',
  });
}
