import type { FileId } from '../bytes/ids.ts';
import type { Clock } from '../clock/clock.ts';
import { hasCode } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { acquireOnce, removeLock, type Wanted } from './lock/acquire.ts';
import { HeldLock } from './lock/held.ts';
import { readLocks, type LockFile, type LockHolder } from './lock/lock-file.ts';
import type { Repository } from './repository.ts';

export type { LockFile, LockHolder } from './lock/lock-file.ts';

/**
 * Locks as restic takes and honours them, so that both tools may work on one repository. Any number of clients hold
 * shared locks (backup, restore, forget of single snapshots); one alone holds an exclusive one (check, prune, keys).
 * A lock left by a crash stays until `unlock`, or until somebody removes it by hand: it is never ignored.
 */
export interface LockOptions {
  readonly mode: 'shared' | 'exclusive';
  readonly holder: LockHolder;
  readonly clock: Clock;
  /** How long to wait for others to finish; 0 gives up at once. */
  readonly retryMs: number;
  /** Gives up waiting. */
  readonly signal: AbortSignal;
  /** Told of refreshes that failed. */
  readonly listener: Listener;
}

export interface RepositoryLock extends AsyncDisposable {
  /** Of the lock file just now; a refresh changes it. */
  readonly id: FileId;
  /**
   * Aborts with 'lock-lost' when the lock can't be kept: work under it must stop. The repository refuses every write
   * from then on.
   */
  readonly signal: AbortSignal;
}

const firstPauseMs = 5_000;
const longestPauseMs = 60_000;

/** 'locked' when others hold a conflicting lock for longer than `retryMs`. Released by disposing of it. */
export async function lockRepository(repository: Repository, options: LockOptions): Promise<RepositoryLock> {
  const { holder, clock, signal } = options;
  const wanted = { repository, clock, holder, signal, exclusive: options.mode === 'exclusive' };
  const held = new HeldLock(wanted, await acquire(wanted, options.retryMs), options.listener);
  return {
    get id() {
      return held.id;
    },
    signal: held.signal,
    [Symbol.asyncDispose]: async () => held.release(),
  };
}

async function acquire(wanted: Wanted, retryMs: number): Promise<LockFile> {
  const { clock, signal } = wanted;
  const deadlineMs = clock.monotonicMs() + retryMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const remainingMs = deadlineMs - clock.monotonicMs();
    try {
      return await acquireOnce(wanted);
    } catch (error) {
      if (!hasCode(error, 'locked') || remainingMs <= 0) throw error;
    }
    await clock.sleep(Math.min(pauseMs, remainingMs), signal);
  }
}

const staleAfterNs = 30n * 60n * 1_000_000_000n;

export interface StalenessOptions {
  readonly clock: Clock;
  /** This host's. */
  readonly hostname: string;
  /** Whether a process runs on this host. */
  readonly isAlive: (pid: number) => boolean;
}

/** Older than 30 minutes, or of a process that this host doesn't have any more. */
function isStale(lock: LockFile, { clock, hostname, isAlive }: StalenessOptions): boolean {
  if (clock.nowNs() - lock.timeNs > staleAfterNs) return true;
  return lock.hostname === hostname && !isAlive(lock.pid);
}

/** Every lock that can be read. */
export async function listLocks(repository: Repository): Promise<readonly LockFile[]> {
  const locks: LockFile[] = [];
  for (const { lock } of await readLocks(repository)) if (!(lock instanceof Error)) locks.push(lock);
  return locks;
}

/** How many there were. What can't be read is left. */
export async function removeStaleLocks(repository: Repository, options: StalenessOptions): Promise<number> {
  const stale = (await listLocks(repository)).filter((lock) => isStale(lock, options));
  for (const { id } of stale) await removeLock(repository, id);
  return stale.length;
}

/** Every lock, also those of others that are at work: for a person who knows that nobody is. */
export async function removeAllLocks(repository: Repository): Promise<number> {
  const ids = await Array.fromAsync(repository.list('locks'), ({ id }) => id);
  for (const id of ids) await removeLock(repository, id);
  return ids.length;
}
