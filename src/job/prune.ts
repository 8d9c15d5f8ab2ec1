import type { FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { removeLeftovers } from '../repository/leftovers.ts';
import {
  discardJournals,
  executePrune,
  removeJournal,
  summarizeJournals,
  type JournalSummary,
  type PrunePlan,
} from '../repository/prune.ts';
import type { Repository } from '../repository/repository.ts';
import type { Storage } from '../storage/storage.ts';
import { usedBlobs } from '../snapshot/used-blobs.ts';
import { pruneDeferred } from './prune/deferred.ts';
import { nothingDone, type PruneJobOptions, type PruneJobOutcome, type PruneWay } from './prune/options.ts';
import { allSnapshots, treesIn } from './prune/snapshots.ts';
import { assertAllSeen } from './listed-twice.ts';
import { planTakingBack, sweepLocked, warnOfUnreadable } from './prune/sweeping.ts';
import { heldBackBy } from './held-back.ts';
import { underLock, type JobContext } from './job.ts';
import { thawToRepack } from './prune/thawing.ts';

export type { PruneJobOptions, PruneJobOutcome, PruneWay } from './prune/options.ts';

/** Removes what no snapshot needs: at once and alone on the repository, or beside others and a day later. */
export async function prune(context: JobContext, options: PruneJobOptions): Promise<PruneJobOutcome> {
  await using repository = await context.access.open();
  context.signal.throwIfAborted();
  const outcome = await pruneOpened(repository, context, options, new Set());
  return { ...outcome, ...(await heldBackBy(repository, context)) };
}

/** The same in a repository that is open. In a dry run snapshots of `gone` count as removed. */
export async function pruneOpened(
  repository: Repository,
  context: JobContext,
  options: PruneJobOptions,
  gone: ReadonlySet<FileId>,
): Promise<PruneJobOutcome> {
  const way = wayFor(repository.storage, options.way);
  if (options.journals === 'discard' && options.mode === 'execute') {
    await underLock(repository, context, 'rewrite', discardJournals);
  }
  if (way === 'deferred') {
    return await pruneDeferred(repository, context, options, gone);
  }
  return await underLock(repository, context, options.mode === 'dry-run' ? 'check' : 'rewrite', async (_, signal) =>
    pruneInstantly(repository, { ...context, signal }, options, gone),
  );
}

/** What a prune does where nobody says: where files are local, what restic does. */
export function wayFor({ url, capabilities }: Storage, wanted: PruneWay): 'instant' | 'deferred' {
  const { ownPrefixes, localPath } = capabilities;
  if (wanted === 'deferred' && !ownPrefixes) {
    throw new HoldfastError('unsupported', `${url} can hold no journals, so prune can't be put off there`, {
      next: 'Run `holdfast prune --instant` while nobody else works with the repository. Nothing was changed.',
    });
  }
  if (wanted !== 'fitting') return wanted;
  return ownPrefixes && localPath === undefined ? 'deferred' : 'instant';
}

/** restic's way, under an exclusive lock that is held already; what was dropped earlier is swept before. */
export async function pruneInstantly(
  repository: Repository,
  context: JobContext,
  options: PruneJobOptions,
  gone: ReadonlySet<FileId>,
): Promise<PruneJobOutcome> {
  const { clock, listener, signal } = context;
  const journals = await summarizeJournals(repository);
  warnOfUnreadable(journals.unreadable, listener);
  const swept = journals.dropped.size === 0 ? nothingDone : await sweepLocked(repository, context, options, 'dropped');
  const { snapshots, trees } = treesIn(await allSnapshots(repository), gone);
  const findUsed = async (from: Repository): ReturnType<typeof usedBlobs> =>
    usedBlobs(from, trees, { listener, signal });
  const { dropped } = journals;
  const planning = { prune: options.prune, findUsed, dropped, clock, listener, signal };
  const { plan, used } = await planTakingBack(repository, context, options.mode, planning);
  options.onPlan(plan.statistics);
  await thawToRepack(repository, plan, context, options.mode);
  if (options.mode === 'execute') await removeLeftovers(repository, context);
  if (options.mode === 'dry-run') return swept;
  if (isEmpty(plan)) return await withoutMarks(repository, journals, swept);
  await assertAllSeen(repository, 'snapshots', new Set([...snapshots, ...gone]));
  const writer = { ...options.writer, signal, mode: 'store' } as const;
  const { unsafeRecoverNoFreeSpace } = options.prune;
  const { failedRemovals } = await executePrune(repository, plan, { used, writer, listener, unsafeRecoverNoFreeSpace });
  const keptPacks = swept.keptPacks + failedRemovals;
  return await withoutMarks(repository, journals, { ...swept, keptPacks });
}

/** What was marked has been judged anew: the journals say nothing any more. */
async function withoutMarks<T>(repository: Repository, { marked }: JournalSummary, outcome: T): Promise<T> {
  for (const name of marked) await removeJournal(repository, name);
  return outcome;
}

function isEmpty(plan: PrunePlan): boolean {
  const work = [plan.removeUnindexed, plan.unmark, plan.repack, plan.remove, plan.forget];
  return work.every((packs) => packs.length === 0);
}
