import type { FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { removeLeftovers } from '../repository/leftovers.ts';
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
  const seen = new Set<FileId>(gone);
  const findUsed = async (from: Repository): ReturnType<typeof usedBlobs> =>
    usedBlobs(from, await treesOf(from, seen), { listener, signal });
  const { plan, used } = await planPrune(repository, { prune: options.prune, findUsed, clock, listener, signal });
  options.onPlan(plan.statistics);
  if (options.mode === 'execute') await removeLeftovers(repository, context);
  if (options.mode === 'dry-run' || isEmpty(plan)) return { failedRemovals: 0 };
  await assertAllSeen(repository, seen);
  const writer = { ...options.writer, signal, mode: 'store' } as const;
  const { unsafeRecoverNoFreeSpace } = options.prune;
  return await executePrune(repository, plan, { used, writer, listener, unsafeRecoverNoFreeSpace });
}

/** Of the snapshots not in `seen`, which then are. Fails when one can't be read: what it needs would be lost. */
async function treesOf(repository: Repository, seen: Set<FileId>): Promise<Parameters<typeof usedBlobs>[1]> {
  const found = await listSnapshots(repository);
  return found.flatMap((one) => {
    if (one.kind === 'failed') throw one.error;
    if (seen.has(one.snapshot.id)) return [];
    seen.add(one.snapshot.id);
    return [one.snapshot.tree];
  });
}

/** A listing that left a snapshot out would cost all that it alone needs: so the storage is asked twice. */
async function assertAllSeen(repository: Repository, seen: ReadonlySet<FileId>): Promise<void> {
  for await (const { id } of repository.list('snapshots')) {
    if (seen.has(id)) continue;
    const message = `${repository.storage.url} lists the snapshot ${id}, which it left out before: nothing was pruned`;
    throw new HoldfastError('storage-failed', message);
  }
}

function isEmpty(plan: PrunePlan): boolean {
  const work = [plan.removeUnindexed, plan.unmark, plan.repack, plan.remove, plan.forget];
  return work.every((packs) => packs.length === 0);
}
