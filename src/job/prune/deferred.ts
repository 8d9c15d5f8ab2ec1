import type { FileId } from '../../bytes/ids.ts';
import { HoldfastError, hasCode } from '../../errors/error.ts';
import {
  executeMark,
  journalPacks,
  planPrune,
  summarizeJournals,
  type MarkOutcome,
  type SweepOptions,
} from '../../repository/prune.ts';
import { removeLeftovers } from '../../repository/leftovers.ts';
import type { OutgoingPacks, Repository } from '../../repository/repository.ts';
import { usedBlobs } from '../../snapshot/used-blobs.ts';
import { underLock, type JobContext } from '../job.ts';
import { nothingDone, type PruneJobOptions, type PruneJobOutcome } from './options.ts';
import { allSnapshots, treesIn } from './snapshots.ts';
import { thawToRepack } from './thawing.ts';
import { leavingBy, planSweepNow, sweepLocked, takeBack, warnOfUnreadable } from './sweeping.ts';

/**
 * Beside others: sweeps what earlier prunes left, marks under the shared lock, and drops what it marked at once if
 * nobody else is at work just then, else leaves that to the next prune.
 */
export async function pruneDeferred(
  repository: Repository,
  context: JobContext,
  options: PruneJobOptions,
  gone: ReadonlySet<FileId>,
): Promise<PruneJobOutcome> {
  if (options.mode === 'dry-run') return await showPlans(repository, context, options, gone);
  const first = await sweepUnlessLocked(repository, context, options);
  const marked =
    first === undefined
      ? await markUnswept(repository, context, options)
      : await markTakingBack(repository, context, options);
  if (first !== undefined && marked.markedPacks === 0) return first;
  const impatient = { ...context, access: { ...context.access, locking: { retryMs: 0 } } };
  const second = await sweepUnlessLocked(repository, impatient, { ...options, onSweep: () => undefined });
  return outcomeOf(first, marked, second);
}

function outcomeOf(
  first: PruneJobOutcome | undefined,
  { markedPacks, markedBytes }: MarkOutcome,
  second: PruneJobOutcome | undefined,
): PruneJobOutcome {
  const before = first ?? nothingDone;
  if (second !== undefined) {
    return {
      removedPacks: before.removedPacks + second.removedPacks,
      removedBytes: before.removedBytes + second.removedBytes,
      keptPacks: Math.max(before.keptPacks, second.keptPacks),
      leaving: second.leaving,
      sweep: 'done',
    };
  }
  const packs = before.leaving.packs + markedPacks;
  const leaving = { packs, bytes: before.leaving.bytes + markedBytes, returnsNs: undefined };
  return { ...before, leaving, sweep: first === undefined ? 'put-off' : 'done' };
}

async function sweepUnlessLocked(
  repository: Repository,
  context: JobContext,
  options: PruneJobOptions,
): Promise<PruneJobOutcome | undefined> {
  const { marked, dropped } = await summarizeJournals(repository);
  if (marked.length + dropped.size === 0) return nothingDone;
  return await unlessLocked(repository, context, async (alone) => await sweepLocked(repository, alone, options, 'all'));
}

/** Alone on the repository; undefined when others are at work. */
async function unlessLocked<T>(
  repository: Repository,
  context: JobContext,
  work: (alone: JobContext) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await underLock(repository, context, 'rewrite', async (_, signal) => work({ ...context, signal }));
  } catch (error) {
    if (!hasCode(error, 'locked')) throw error;
    return undefined;
  }
}

/** What a sweep would take back into the index is not there for a mark. */
async function markUnswept(...args: Parameters<typeof mark>): Promise<MarkOutcome> {
  try {
    return await mark(...args);
  } catch (cause) {
    if (!hasCode(cause, 'blob-missing')) throw cause;
    throw unswept(cause);
  }
}

function unswept(cause: HoldfastError): HoldfastError {
  const message = `others are at work, so what earlier prunes have put off was not swept; until then: ${cause.message}`;
  return new HoldfastError('locked', message, { cause });
}

/** What only marks of the index name, and snapshots need, is not there for a mark either, until it is taken back. */
async function markTakingBack(...[repository, context, options]: Parameters<typeof mark>): Promise<MarkOutcome> {
  try {
    return await mark(repository, context, options);
  } catch (error) {
    if (!hasCode(error, 'blob-missing')) throw error;
    const taken = await unlessLocked(
      repository,
      context,
      async (alone) => await takeBack(repository, alone, 'execute'),
    );
    if (taken === undefined) throw unswept(error);
    if (taken.size === 0) throw error;
    return await mark(repository, context, options);
  }
}

async function mark(repository: Repository, context: JobContext, options: PruneJobOptions): Promise<MarkOutcome> {
  return await underLock(repository, context, 'write', async (_, signal) =>
    markLocked(repository, { ...context, signal }, options),
  );
}

/** Snapshots are listed before the index is loaded: it names what they need, whoever writes meanwhile. */
async function markLocked(repository: Repository, context: JobContext, options: PruneJobOptions): Promise<MarkOutcome> {
  const { clock, listener, signal } = context;
  const { marked: superseded, dropped, unreadable } = await summarizeJournals(repository);
  warnOfUnreadable(unreadable, listener);
  const { snapshots, trees } = treesIn(await allSnapshots(repository), new Set());
  const findUsed = async (from: Repository): ReturnType<typeof usedBlobs> =>
    usedBlobs(from, trees, { listener, signal });
  const planning = { prune: options.prune, findUsed, dropped, clock, listener, signal };
  const { plan, used, stored } = await planPrune(repository, planning);
  options.onPlan(plan.statistics);
  await thawToRepack(repository, plan, context, 'execute');
  await removeLeftovers(repository, context);
  const writer = { ...options.writer, signal, mode: 'store' } as const;
  return await executeMark(repository, plan, { used, snapshots, stored, superseded, writer, listener });
}

/** Both plans as they would be, one carried out after the other. */
async function showPlans(
  repository: Repository,
  context: JobContext,
  options: PruneJobOptions,
  gone: ReadonlySet<FileId>,
): Promise<PruneJobOutcome> {
  return await underLock(repository, context, 'read', async (_, signal) => {
    const showing = { ...context, signal };
    try {
      return await showPlansLocked(repository, showing, options, gone);
    } catch (error) {
      if (!hasCode(error, 'blob-missing')) throw error;
      return await showPlansLocked(repository, showing, options, gone, { marksToo: true });
    }
  });
}

async function showPlansLocked(
  repository: Repository,
  context: JobContext,
  options: PruneJobOptions,
  gone: ReadonlySet<FileId>,
  scope: Pick<SweepOptions, 'marksToo'> = {},
): Promise<PruneJobOutcome> {
  const { clock, listener, signal } = context;
  const { snapshots: _listed, trees } = treesIn(await allSnapshots(repository), gone);
  const { plan: sweep, gathered } = await planSweepNow(repository, context, 'all', scope);
  warnOfUnreadable(sweep.unreadable, listener);
  if (gathered.journals.length > 0) options.onSweep(sweep);
  const findUsed = async (from: Repository): ReturnType<typeof usedBlobs> =>
    usedBlobs(from, trees, { listener, signal });
  const outgoing: OutgoingPacks = {
    packs: new Set([...sweep.drop.keys(), ...sweep.remove.keys()]),
    unnamed: journalPacks(repository),
    recovered: new Set(sweep.recover.keys()),
  };
  const dropped = new Set(sweep.waiting.keys());
  const planning = { prune: options.prune, findUsed, outgoing, dropped, clock, listener, signal };
  const { plan } = await planPrune(repository, planning);
  options.onPlan(plan.statistics);
  await thawToRepack(repository, plan, { ...context, signal }, 'dry-run');
  return { ...nothingDone, leaving: leavingBy(sweep) };
}
