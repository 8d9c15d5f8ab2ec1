import type { FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { HeldBack } from '../repository/held-back.ts';
import type { Repository } from '../repository/repository.ts';
import { keepingAlso, planForget, type ForgetOptions, type GroupPlan } from '../retention/plan.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { findSnapshots, type FindOptions } from '../snapshot/snapshots.ts';
import { heldBackBy } from './held-back.ts';
import { underLock, type JobContext } from './job.ts';
import { newestHolders } from './path-holders.ts';
import { pruneInstantly, pruneOpened, wayFor, type PruneJobOptions, type PruneJobOutcome } from './prune.ts';

export interface ForgetJobOptions extends FindOptions {
  /** Named snapshots are removed whatever the rules say; without names the rules decide. */
  readonly names: readonly string[];
  readonly rules: Omit<ForgetOptions, 'nowNs' | 'zone'> & Pick<ForgetOptions, 'zone'>;
  /** 'kept': also the newest snapshot that has each path of the newest one, whatever the rules say. */
  readonly lastOfPaths: 'kept' | 'as the rules say';
  /** What something else needs, whatever the rules say, each with the reason. */
  readonly alsoNeeded?: (repository: Repository) => Promise<ReadonlyMap<FileId, string>>;
  readonly mode: 'execute' | 'dry-run';
  /** Follows when a snapshot was removed. */
  readonly prune?: Omit<PruneJobOptions, 'mode'>;
  /** Told of what is going to happen, before it does; not for named snapshots. */
  readonly onPlan: (groups: readonly GroupPlan<Snapshot>[]) => void;
  /** Told what was removed, or would be, before the pruning. */
  readonly onRemoved: (removed: readonly FileId[]) => void;
}

export interface ForgetOutcome {
  readonly removed: readonly FileId[];
  /** Could not be removed; each was told as a warning. Nothing was pruned then. */
  readonly failed: readonly FileId[];
  /** What came of the prune, if one followed. */
  readonly pruned?: PruneJobOutcome;
  /** Of all that was removed; see PruneJobOutcome. */
  readonly heldBack?: HeldBack;
}

/** Removes snapshots, alone on the repository. A snapshot that can't be read ends it before anything is removed. */
export async function forget(context: JobContext, options: ForgetJobOptions): Promise<ForgetOutcome> {
  await using repository = await context.access.open();
  context.signal.throwIfAborted();
  const pruning = options.prune && { ...options.prune, mode: options.mode };
  const isInstant = pruning && wayFor(repository.storage, pruning.way) === 'instant';
  const forgotten = await underLock(
    repository,
    context,
    options.mode === 'dry-run' ? 'check' : 'rewrite',
    async (_, signal) => {
      const within = { ...context, signal };
      const { removed, failed } = await remove(repository, within, options);
      if (!isInstant || removed.length === 0 || failed.length > 0) return { removed, failed };
      return { removed, failed, pruned: await pruneInstantly(repository, within, pruning, new Set(removed)) };
    },
  );
  const isDone = !pruning || isInstant || forgotten.removed.length === 0 || forgotten.failed.length > 0;
  const gone = new Set(forgotten.removed);
  const pruned = isDone ? {} : { pruned: await pruneOpened(repository, context, pruning, gone) };
  return { ...forgotten, ...pruned, ...(await heldBackBy(repository, context)) };
}

async function remove(
  repository: Repository,
  context: JobContext,
  options: ForgetJobOptions,
): Promise<Pick<ForgetOutcome, 'removed' | 'failed'>> {
  const wanted = await snapshotsToRemove(repository, context, options);
  const failed = options.mode === 'dry-run' ? [] : await removeSnapshots(repository, wanted, context);
  const removed = wanted.filter((id) => !failed.includes(id));
  options.onRemoved(removed);
  return { removed, failed };
}

async function snapshotsToRemove(
  repository: Repository,
  { clock, listener }: JobContext,
  options: ForgetJobOptions,
): Promise<readonly FileId[]> {
  const snapshots = (await findSnapshots(repository, options.names, options)).map((found) => {
    if (found.kind === 'failed') throw found.error;
    return found.snapshot;
  });
  if (options.names.length > 0) return snapshots.map(({ id }) => id);
  const byRules = planForget(snapshots, { ...options.rules, nowNs: clock.nowNs() });
  const removes = byRules.some(({ remove }) => remove.length > 0);
  const isGuarded = options.lastOfPaths === 'kept' && removes;
  const holders = isGuarded ? await newestHolders(repository, snapshots, listener) : new Map<FileId, []>();
  const needed = (removes ? await options.alsoNeeded?.(repository) : undefined) ?? new Map<FileId, string>();
  const held = [...holders].map(([id, paths]) => [id, `the newest with ${paths.join(', ')}`] as const);
  const reasons = new Map([...held, ...needed]);
  const groups = byRules.map((group) => keepingAlso(group, reasons));
  options.onPlan(groups);
  return groups.flatMap(({ remove }) => remove.map(({ id }) => id));
}

/** Resolves with those that could not be removed. */
async function removeSnapshots(
  repository: Repository,
  ids: readonly FileId[],
  { listener, signal }: JobContext,
): Promise<readonly FileId[]> {
  const failed: FileId[] = [];
  for (const [at, id] of ids.entries()) {
    signal.throwIfAborted();
    try {
      await repository.removeFile('snapshots', id);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      failed.push(id);
      listener({ kind: 'warning', during: 'forget', item: `snapshot ${id}`, message: `not removed: ${error.message}` });
    }
    listener({
      kind: 'progress',
      phase: 'removing snapshots',
      doneBytes: 0,
      doneItems: at + 1,
      totalItems: ids.length,
    });
  }
  return failed;
}
