import type { FileId } from '../bytes/ids.ts';
import { parseGoTime } from '../bytes/go-time.ts';
import type { Clock } from '../clock/clock.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import type { Blobs } from './blob-set.ts';
import type { IndexedPack } from './index-file.ts';
import { keyOf } from './layout.ts';
import { accountPacks } from './prune/account.ts';
import { decidePrune, type StoredPack } from './prune/decide.ts';
import type { PruneOptions, PrunePlan } from './prune/plan.ts';
import type { OutgoingPacks, Repository } from './repository.ts';

export { executePrune } from './prune/execute.ts';
export {
  discardJournals,
  journalPacks,
  removeJournal,
  summarizeJournals,
  type JournalSummary,
  type UnreadableJournal,
} from './prune/journals.ts';
export { executeMark, type MarkOutcome } from './prune/mark.ts';
export { executeSweep } from './prune/sweep.ts';
export { planSweep, type SizedPacks, type SweepOptions, type SweepPlan } from './prune/sweep-plan.ts';
export {
  pruneDefaults,
  type PruneOptions,
  type PrunePlan,
  type PruneStatistics,
  type UnusedLimit,
} from './prune/plan.ts';

export interface PlanningOptions {
  readonly prune: PruneOptions;
  /** What the snapshots need, found with the index loaded. It must fail rather than leave anything out. */
  readonly findUsed: (repository: Repository) => Promise<Blobs>;
  /** Packs that the index names and that count as gone. */
  readonly outgoing?: OutgoingPacks;
  /** Packs that are no concern of the plan unless an index names them: journals have them already. */
  readonly dropped?: ReadonlySet<FileId>;
  readonly clock: Clock;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

export interface PlannedPrune {
  readonly plan: PrunePlan;
  /** What the snapshots need. */
  readonly used: Blobs;
  /** Every pack that the storage has. */
  readonly stored: ReadonlyMap<FileId, StoredPack>;
}

/**
 * Finds what may be removed, as restic's prune does, and changes nothing. Hold the exclusive lock until the plan is
 * executed, or the shared one if it is only to be marked; then list the snapshots before. 'blob-missing' and 'damaged'
 * when something that snapshots need is missing or wrong: then nothing may be rewritten.
 */
export async function planPrune(repository: Repository, options: PlanningOptions): Promise<PlannedPrune> {
  const { version } = repository.config;
  const { dropped, outgoing } = options;
  if (version < 2 && options.prune.repackUncompressed) {
    throw new HoldfastError('usage', 'a repository of format 1 can not hold compressed data');
  }
  const marked = new Map<FileId, bigint | undefined>();
  await repository.loadIndex(options.listener, {
    onRead: (_id, { packsToDelete }) => {
      for (const pack of packsToDelete) marked.set(pack.id, markedAt(pack));
    },
    ...(outgoing === undefined ? {} : { outgoing }),
  });
  const used = await options.findUsed(repository);
  const stored = await storedPacks(repository, options.signal);
  const account = accountPacks(repository.index, used, (pack) => stored.has(pack));
  for (const pack of [...(dropped ?? []), ...(outgoing?.packs ?? [])])
    if (!account.packs.has(pack)) stored.delete(pack);
  const state = { account, stored, marked, version, nowNs: options.clock.nowNs() };
  const plan = decidePrune(state, options.prune);
  warnOfAgeless(plan, stored, options.listener);
  return { plan, used, stored };
}

/** They are kept for ever, unless somebody looks after them. */
function warnOfAgeless(
  { leaveUnindexed }: PrunePlan,
  stored: ReadonlyMap<FileId, StoredPack>,
  listener: Listener,
): void {
  const ageless = leaveUnindexed.filter((id) => stored.get(id)?.modifiedNs === undefined).length;
  if (ageless === 0) return;
  const message = `${ageless} that no index names are kept: the storage does not say how old they are`;
  listener({ kind: 'warning', during: 'prune', item: 'packs', message });
}

/** undefined where rustic doesn't say, or not in a way that can be read. */
function markedAt({ other }: IndexedPack): bigint | undefined {
  const time = other['time'];
  if (typeof time !== 'string') return undefined;
  try {
    return parseGoTime(time);
  } catch (error) {
    if (hasCode(error, 'damaged')) return undefined;
    throw error;
  }
}

/**
 * What is listed, and what isn't but is there when asked for by its name. Of a pack that no index names the age
 * matters, which some storages tell only of a single object.
 */
async function storedPacks(repository: Repository, signal: AbortSignal): Promise<Map<FileId, StoredPack>> {
  const stored = new Map<FileId, StoredPack>();
  for await (const { id, ...pack } of repository.list('data', { signal })) stored.set(id, pack);
  const indexed = new Set<FileId>();
  for (const { pack } of repository.index.all()) indexed.add(pack);
  const unlisted = [...indexed].filter((pack) => !stored.has(pack));
  const ageless = [...stored].filter(([pack, { modifiedNs }]) => modifiedNs === undefined && !indexed.has(pack));
  for (const pack of [...unlisted, ...ageless.map(([id]) => id)]) {
    const info = await tryStat(repository, pack, signal);
    if (info) stored.set(pack, info);
  }
  return stored;
}

async function tryStat(repository: Repository, pack: FileId, signal: AbortSignal): Promise<StoredPack | undefined> {
  try {
    return await repository.storage.stat(keyOf('data', pack), { signal });
  } catch (error) {
    if (hasCode(error, 'storage-not-found')) return undefined;
    throw error;
  }
}
