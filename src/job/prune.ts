import type { FileId } from '../bytes/ids.ts';
import {
  executePrune,
  planPrune,
  type PruneOptions,
  type PruneOutcome,
  type PrunePlan,
  type PruneStatistics,
} from '../repository/prune.ts';
import type { Repository, WriterOptions } from '../repository/repository.ts';
import { listSnapshots } from '../snapshot/snapshots.ts';
import { usedBlobs } from '../snapshot/used-blobs.ts';
import { inRepository, type JobContext } from './job.ts';

export interface PruneJobOptions {
  readonly prune: PruneOptions;
  readonly writer: Omit<WriterOptions, 'signal' | 'mode'>;
  readonly mode: 'execute' | 'dry-run';
  /** Told what is going to happen, before it does. */
  readonly onPlan: (statistics: PruneStatistics) => void;
}

export type PruneJobOutcome = PruneOutcome;

/** Removes what no snapshot needs, alone on the repository. */
export async function prune(context: JobContext, options: PruneJobOptions): Promise<PruneJobOutcome> {
  return await inRepository(context, options.mode === 'dry-run' ? 'check' : 'rewrite', async (repository, signal) =>
    pruneLocked(repository, { ...context, signal }, options, new Set()),
  );
}

/** The same under a lock that is held already; snapshots of `gone` count as removed. */
export async function pruneLocked(
  repository: Repository,
  context: JobContext,
  options: PruneJobOptions,
  gone: ReadonlySet<FileId>,
): Promise<PruneJobOutcome> {
  const { clock, listener, signal } = context;
  const findUsed = async (from: Repository): ReturnType<typeof usedBlobs> =>
    usedBlobs(from, await treesOf(from, gone), { listener, signal });
  const { plan, used } = await planPrune(repository, { prune: options.prune, findUsed, clock, listener, signal });
  options.onPlan(plan.statistics);
  if (options.mode === 'dry-run' || isEmpty(plan)) return { failedRemovals: 0 };
  const writer = { ...options.writer, signal, mode: 'store' } as const;
  const { unsafeRecoverNoFreeSpace } = options.prune;
  return await executePrune(repository, plan, { used, writer, listener, unsafeRecoverNoFreeSpace });
}

/** Fails when one snapshot can't be read: what it needs would be lost. */
async function treesOf(repository: Repository, gone: ReadonlySet<FileId>): Promise<Parameters<typeof usedBlobs>[1]> {
  const found = await listSnapshots(repository);
  return found.flatMap((one) => {
    if (one.kind === 'failed') throw one.error;
    return gone.has(one.snapshot.id) ? [] : [one.snapshot.tree];
  });
}

function isEmpty(plan: PrunePlan): boolean {
  const work = [plan.removeUnindexed, plan.unmark, plan.repack, plan.remove, plan.forget];
  return work.every((packs) => packs.length === 0);
}
