import type { FileId } from '../../bytes/ids.ts';
import type { Listener } from '../../events/events.ts';
import type { Blobs } from '../blob-set.ts';
import type { Repository } from '../repository.ts';
import { gatherJournals, type Gathered, type Which } from './gather.ts';
import { graceMs } from './journal.ts';
import { journalPacks, type UnreadableJournal } from './journals.ts';
import { neededPacks } from './needed-packs.ts';

/** Packs with their bytes as stored. */
export type SizedPacks = ReadonlyMap<FileId, number>;

/** What becomes of the packs in the journals: nothing else is done. */
export interface SweepPlan {
  /** Out of the index for longer than the grace, and nothing needs them: deleted. */
  readonly remove: SizedPacks;
  /** Marked, and nothing needs them: the index drops them, and they wait for a day. */
  readonly drop: SizedPacks;
  /** Out of the index, and needed by a snapshot that came since: back into the index. */
  readonly recover: SizedPacks;
  /** In the index, and needed since, or not the journal's any more: they stay there. */
  readonly unmark: SizedPacks;
  /** Out of the index, and not yet to be deleted. */
  readonly waiting: SizedPacks;
  /** When the last of those that wait, or are dropped, may be deleted; undefined when there are none. */
  readonly returnsNs: bigint | undefined;
  readonly unreadable: readonly UnreadableJournal[];
}

/** A plan, and what carrying it out needs to know. */
export interface PlannedSweep {
  readonly plan: SweepPlan;
  readonly gathered: Gathered;
  /** Listed when the plan was made: what they need is known. */
  readonly snapshots: readonly FileId[];
  /** What the snapshots need that no journal had seen. */
  readonly used: Pick<Blobs, 'has'>;
  /** Packs that stay and that an index also marks for deletion, as a drop that was cut off leaves them. */
  readonly doubtful: ReadonlySet<FileId>;
  readonly nowNs: bigint;
}

export interface SweepOptions {
  readonly which: Which;
  /** What index files mark for deletion is looked through even where there are no journals. */
  readonly marksToo?: true;
  readonly nowNs: bigint;
  /** What these snapshots need, found with the index loaded. It must fail rather than leave anything out. */
  readonly findUsed: (repository: Repository, snapshots: readonly FileId[]) => Promise<Blobs>;
  readonly listener: Listener;
}

/** Finds what is ripe, and changes nothing. Hold the exclusive lock until the plan is executed. */
export async function planSweep(repository: Repository, options: SweepOptions): Promise<PlannedSweep> {
  const { which, marksToo = false, nowNs, findUsed, listener } = options;
  const gathered = await gatherJournals(repository, which);
  const snapshots = await Array.fromAsync(repository.list('snapshots'), ({ id }) => id);
  if (gathered.journals.length === 0 && !marksToo) {
    const plan = classify({ gathered, named: noPacks, needed: new Map(), nowNs });
    return { plan, gathered, snapshots, used: { has: () => false }, doubtful: noPacks, nowNs };
  }
  const { named, marked } = await loadIndexWithout(repository, gathered, listener);
  const used = await findUsed(
    repository,
    snapshots.filter((id) => !gathered.seen.has(id)),
  );
  const isUsed: Blobs['has'] = (type, id) => used.has(type, id) || gathered.used.has(type, id);
  const needed = await neededPacks(repository, { has: isUsed }, named);
  const plan = classify({ gathered, named, needed, nowNs });
  const doubtful = new Set([...plan.unmark.keys()].filter((id) => marked.has(id)));
  return { plan, gathered, snapshots, used, doubtful, nowNs };
}

const noPacks: ReadonlySet<FileId> = new Set();

/** What the index says of the journals' packs. */
interface InIndex {
  readonly named: ReadonlySet<FileId>;
  /** For deletion. */
  readonly marked: ReadonlySet<FileId>;
}

/** The journals' packs count as absent as long as they are only marked there, and all can be read. */
async function loadIndexWithout(repository: Repository, gathered: Gathered, listener: Listener): Promise<InIndex> {
  const [named, marked] = [new Set<FileId>(), new Set<FileId>()];
  const isOurs = ({ id }: { readonly id: FileId }): boolean => gathered.marked.has(id) || gathered.dropped.has(id);
  const leaving = [...gathered.marked].filter(([, { wasIndexed }]) => wasIndexed).map(([id]) => id);
  await repository.loadIndex(listener, {
    onRead: (_id, { packs, packsToDelete }) => {
      for (const { id } of packs.filter(isOurs)) named.add(id);
      for (const { id } of packsToDelete.filter(isOurs)) marked.add(id);
    },
    outgoing: { packs: new Set(leaving), unnamed: journalPacks(repository) },
  });
  return { named, marked };
}

interface Facts {
  readonly gathered: Gathered;
  /** By an index. */
  readonly named: ReadonlySet<FileId>;
  readonly needed: SizedPacks;
  readonly nowNs: bigint;
}

function classify(facts: Facts): SweepPlan {
  const { marked, dropped, unreadable } = facts.gathered;
  const fates = {
    remove: new Map<FileId, number>(),
    drop: new Map<FileId, number>(),
    recover: new Map<FileId, number>(),
    unmark: new Map<FileId, number>(),
    waiting: new Map<FileId, number>(),
  };
  for (const id of new Set([...marked.keys(), ...dropped.keys(), ...facts.needed.keys()])) {
    const { sizeBytes } = marked.get(id) ?? dropped.get(id) ?? { sizeBytes: facts.needed.get(id) ?? 0 };
    fates[fateOf(id, facts)].set(id, sizeBytes);
  }
  return { ...fates, returnsNs: returnsNs(facts, fates), unreadable };
}

type Fate = Exclude<keyof SweepPlan, 'returnsNs' | 'unreadable'>;

function fateOf(id: FileId, { gathered, named, needed, nowNs }: Facts): Fate {
  const [marked, dropped] = [gathered.marked.get(id), gathered.dropped.get(id)];
  if (needed.has(id)) return named.has(id) ? 'unmark' : 'recover';
  if (named.has(id)) return marked?.wasIndexed === true ? 'drop' : 'unmark';
  if (dropped === undefined) return 'drop';
  return nowNs >= dropped.ripeNs ? 'remove' : 'waiting';
}

function returnsNs(
  { gathered, nowNs }: Facts,
  { drop, waiting }: Pick<SweepPlan, 'drop' | 'waiting'>,
): bigint | undefined {
  let latest = drop.size > 0 ? nowNs + BigInt(graceMs) * 1_000_000n : undefined;
  for (const id of waiting.keys()) {
    const ripeNs = gathered.dropped.get(id)?.ripeNs ?? nowNs;
    if (latest === undefined || ripeNs > latest) latest = ripeNs;
  }
  return latest;
}
