import type { Clock } from '../clock/clock.ts';
import type { Listener } from '../events/events.ts';
import { lockRepository, type LockHolder } from '../repository/lock.ts';
import type { Repository } from '../repository/repository.ts';
import type { ThawPlan } from '../storage/thaw.ts';

/**
 * A job is one run of one thing: `(context, options) → outcome`. It opens what it needs, takes the lock that its work
 * asks for, tells its events while it runs, and returns what came of it as a value. It prints nothing, reads no flag
 * and knows no exit code. What could not be done at all is thrown; what was done in part is in the outcome.
 *
 * When a job ends, whether it returned, failed or was aborted, its lock is gone and its repository closed.
 */
export interface JobContext {
  readonly access: RepositoryAccess;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly listener: Listener;
  /** Told what of the packs that a job reads lies in an archive, before anything is asked for. */
  readonly onThaw?: (plan: ThawPlan) => void;
}

/** How the repository is come by; what kind of storage and whose password are not the job's business. */
export interface RepositoryAccess {
  /** Derives the key, which takes a good part of a second in another thread: start it early, await it late. */
  readonly open: () => Promise<Repository>;
  /** Who the lock says holds it. */
  readonly holder: LockHolder;
  /** 'none': reading goes without a lock (--no-lock); what writes takes one nevertheless. */
  readonly locking: 'none' | { readonly retryMs: number };
}

/**
 * What is to be done under the lock. 'read' and 'check' (which must stand alone) go without one when the user says
 * so; 'write' and 'rewrite' never do.
 */
export type Work = 'read' | 'check' | 'write' | 'rewrite';

/** Opens, locks, runs, unlocks, closes. The signal also aborts when the lock can't be kept. */
export async function inRepository<T>(context: JobContext, work: Work, body: Locked<T>): Promise<T> {
  await using repository = await context.access.open();
  context.signal.throwIfAborted();
  return await underLock(repository, context, work, body);
}

export type Locked<T> = (repository: Repository, signal: AbortSignal) => Promise<T>;

/** Of a job in several parts, each with a lock of its own: one part of it. */
export async function underLock<T>(
  repository: Repository,
  { access, clock, listener, signal }: JobContext,
  work: Work,
  body: Locked<T>,
): Promise<T> {
  if (access.locking === 'none' && (work === 'read' || work === 'check')) return await body(repository, signal);
  const retryMs = access.locking === 'none' ? 0 : access.locking.retryMs;
  const mode = work === 'read' || work === 'write' ? 'shared' : 'exclusive';
  const options = { mode, holder: access.holder, clock, retryMs, signal, listener } as const;
  await using lock = await lockRepository(repository, options);
  return await body(repository, AbortSignal.any([signal, lock.signal]));
}
