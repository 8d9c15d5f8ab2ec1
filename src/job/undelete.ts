import { HoldfastError, hasCode } from '../errors/error.ts';
import type { Repository } from '../repository/repository.ts';
import {
  executeUndelete,
  explainAbsence,
  planUndelete,
  type UndeleteOutcome,
  type UndeletePlan,
} from '../repository/undelete.ts';
import { decodeSnapshot, type Snapshot } from '../snapshot/snapshot.ts';
import type { Storage } from '../storage/storage.ts';
import type { JobContext } from './job.ts';

export interface UndeleteJobOptions {
  /** As it is now; given up to the job, which disposes of it. `access` opens the repository as it was at the time. */
  readonly storage: Storage;
  readonly timeNs: bigint;
  readonly mode: 'execute' | 'dry-run';
  /** Told what is going to happen, before it does, and which snapshots made since stay. */
  readonly onPlan: (plan: UndeletePlan, kept: readonly Snapshot[]) => void;
}

export interface UndeleteJobOutcome {
  readonly plan: UndeletePlan;
  /** Undefined after a dry run. */
  readonly done: UndeleteOutcome | undefined;
}

/** Makes a repository again what it was at a time. No lock is taken: after a theft nobody may be able to work with it. */
export async function undelete(
  { access, clock, listener, signal }: JobContext,
  { storage, timeNs, mode, onPlan }: UndeleteJobOptions,
): Promise<UndeleteJobOutcome> {
  await using _storage = storage;
  if (timeNs > clock.nowNs()) throw new HoldfastError('usage', 'the time to go back to is still to come');
  await using then = await opened(access.open, storage);
  const options = { timeNs, listener, signal };
  const plan = await planUndelete(then, storage, options);
  onPlan(
    plan,
    [...plan.kept].map(([id, plaintext]) => decodeSnapshot(id, plaintext)),
  );
  return { plan, done: mode === 'execute' ? await executeUndelete(storage, plan, options) : undefined };
}

async function opened(open: () => Promise<Repository>, storage: Storage): Promise<Repository> {
  try {
    return await open();
  } catch (error) {
    if (hasCode(error, 'no-repository')) throw await explainAbsence(storage, tooEarly(storage, error));
    if (hasCode(error, 'wrong-password')) throw otherPassword(error);
    throw error;
  }
}

function tooEarly({ url }: Storage, cause: HoldfastError): HoldfastError {
  return new HoldfastError('no-repository', `there was no repository at ${url} at that time`, {
    cause,
    next: 'Give a time after `holdfast init` and before the damage. Nothing was changed.',
  });
}

function otherPassword(cause: HoldfastError): HoldfastError {
  const next = 'Give a password that the repository had at that time. Nothing was changed.';
  return new HoldfastError('wrong-password', cause.message, { cause, next });
}
