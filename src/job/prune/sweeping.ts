import type { FileId } from '../../bytes/ids.ts';
import { hasCode } from '../../errors/error.ts';
import type { Listener } from '../../events/events.ts';
import {
  executeSweep,
  journalPacks,
  planPrune,
  planSweep,
  type PlannedPrune,
  type PlanningOptions,
  type SizedPacks,
  type SweepOptions,
  type SweepPlan,
  type UnreadableJournal,
} from '../../repository/prune.ts';
import type { Repository } from '../../repository/repository.ts';
import { usedBlobs } from '../../snapshot/used-blobs.ts';
import type { JobContext } from '../job.ts';
import { nothingDone, type Leaving, type PruneJobOptions, type PruneJobOutcome } from './options.ts';
import { assertAllSeen } from '../listed-twice.ts';
import { treesOf } from './snapshots.ts';

/** Plans and, unless in a dry run, carries out what the journals ask for. Hold the exclusive lock. */
export async function sweepLocked(
  repository: Repository,
  context: JobContext,
  options: Pick<PruneJobOptions, 'mode' | 'onSweep'>,
  which: 'all' | 'dropped',
): Promise<PruneJobOutcome> {
  const { listener, signal } = context;
  const sweep = await planSweepNow(repository, context, which);
  options.onSweep(sweep.plan);
  const leaving = leavingBy(sweep.plan);
  if (options.mode === 'dry-run') return { ...nothingDone, leaving };
  await assertAllSeen(repository, 'snapshots', new Set(sweep.snapshots));
  const { removedPacks, removedBytes, keptPacks } = await executeSweep(repository, sweep, { listener, signal });
  return { removedPacks, removedBytes, keptPacks, leaving, sweep: 'done' };
}

/** Where something is missing that packs marked for deletion hold, these go back into the index first; in a dry run as if. */
export async function planTakingBack(
  repository: Repository,
  context: JobContext,
  mode: PruneJobOptions['mode'],
  planning: PlanningOptions,
): Promise<PlannedPrune> {
  try {
    return await planPrune(repository, planning);
  } catch (error) {
    if (!hasCode(error, 'blob-missing')) throw error;
    const recovered = await takeBack(repository, context, mode);
    if (recovered.size === 0) throw error;
    if (mode === 'execute') return await planPrune(repository, planning);
    const outgoing = { packs: new Set<FileId>(), unnamed: journalPacks(repository), recovered };
    return await planPrune(repository, { ...planning, outgoing });
  }
}

/**
 * Packs that snapshots need and that only marks for deletion name: back into the index, unless in a dry run. Hold the
 * exclusive lock. Resolves with none where that is not what is missing.
 */
export async function takeBack(
  repository: Repository,
  context: JobContext,
  mode: PruneJobOptions['mode'],
): Promise<ReadonlySet<FileId>> {
  const { listener, signal } = context;
  const sweep = await planSweepNow(repository, context, 'dropped', { marksToo: true });
  const needed = new Set(sweep.plan.recover.keys());
  if (mode === 'execute' && needed.size > 0) await executeSweep(repository, sweep, { listener, signal });
  return needed;
}

export async function planSweepNow(
  repository: Repository,
  { clock, listener, signal }: JobContext,
  which: 'all' | 'dropped',
  scope: Pick<SweepOptions, 'marksToo'> = {},
): ReturnType<typeof planSweep> {
  const findUsed = async (from: Repository, ids: readonly FileId[]): ReturnType<typeof usedBlobs> =>
    usedBlobs(from, await treesOf(from, ids), { listener, signal });
  const nowNs = earlier(clock.nowNs(), await storageTime(repository));
  return await planSweep(repository, { which, ...scope, nowNs, findUsed, listener });
}

/** By the storage's own clock, as far as the newest lock shows it: ours, if we hold one. */
async function storageTime(repository: Repository): Promise<bigint | undefined> {
  let latest: bigint | undefined;
  for await (const { modifiedNs } of repository.list('locks')) {
    if (modifiedNs !== undefined && (latest === undefined || modifiedNs > latest)) latest = modifiedNs;
  }
  return latest;
}

/** A host whose clock is fast must not end a grace early. */
function earlier(own: bigint, storage: bigint | undefined): bigint {
  return storage !== undefined && storage < own ? storage : own;
}

export function leavingBy({ drop, waiting, returnsNs }: SweepPlan): Leaving {
  return { packs: drop.size + waiting.size, bytes: bytesOf(drop) + bytesOf(waiting), returnsNs };
}

function bytesOf(packs: SizedPacks): number {
  return packs.values().reduce((sum, bytes) => sum + bytes, 0);
}

/** Never passed over in silence, and never in the way. */
export function warnOfUnreadable(journals: readonly UnreadableJournal[], listener: Listener): void {
  for (const { name, error } of journals) {
    const message = `is a prune journal that can't be used: ${error.message}. Its packs count as any others; remove it with \`holdfast prune --discard-journals\``;
    listener({ kind: 'warning', during: 'prune', item: name, message });
  }
}
