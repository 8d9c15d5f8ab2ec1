import type { FileId } from '../../bytes/ids.ts';
import type { Repository } from '../repository.ts';
import { rewriteIndex } from '../rewrite-index.ts';
import { assertChangeable, sessionOf } from '../session.ts';
import { isoTime, type BlobHandle, type JournalPack, type PruneJournal } from './journal.ts';
import { journalPacks, readJournals, removeJournal, writeJournal } from './journals.ts';
import { removePacks, type RemovalOptions } from './remove-packs.ts';
import type { PlannedSweep, SweepPlan } from './sweep-plan.ts';

export interface SweepOutcome {
  readonly removedPacks: number;
  readonly removedBytes: number;
  /** The storage refused to remove them; the next sweep tries again. */
  readonly keptPacks: number;
  readonly keptBytes: number;
}

/**
 * Does what the plan says, in the order that the journal's contract gives. Hold the exclusive lock from before the plan
 * was made, and load the index anew afterwards.
 */
export async function executeSweep(
  repository: Repository,
  sweep: PlannedSweep,
  options: RemovalOptions,
): Promise<SweepOutcome> {
  assertChangeable(sessionOf(repository).config);
  const { plan, gathered } = sweep;
  if (changesIndex(sweep)) {
    options.signal.throwIfAborted();
    await rewrite(repository, sweep);
  }
  if (plan.drop.size > 0) await writeDropped(repository, sweep);
  const headsOf = (state: PruneJournal['state']): typeof gathered.journals =>
    gathered.journals.filter((journal) => journal.state === state);
  for (const { name } of headsOf('marked')) await removeJournal(repository, name);
  const { removed, kept } = await removePacks(repository, [...plan.remove.keys()], options);
  for (const { name, packs } of headsOf('dropped')) {
    if (!packs.some((id) => plan.waiting.has(id) || kept.has(id))) await removeJournal(repository, name);
  }
  return {
    ...{ removedPacks: removed.size, removedBytes: bytesIn(plan.remove, removed) },
    ...{ keptPacks: kept.size, keptBytes: bytesIn(plan.remove, kept) },
  };
}

function changesIndex({ plan, doubtful }: PlannedSweep): boolean {
  return plan.remove.size + plan.drop.size + plan.recover.size + doubtful.size > 0;
}

/** New index, then old index: there is no moment at which a pack that stays is in none. */
async function rewrite(repository: Repository, { plan, doubtful, nowNs }: PlannedSweep): Promise<void> {
  const { obsolete } = await rewriteIndex(repository, {
    without: new Set(plan.remove.keys()),
    mark: { packs: new Set(plan.drop.keys()), time: isoTime(nowNs) },
    restore: { packs: new Set([...plan.recover.keys(), ...doubtful]), from: journalPacks(repository) },
  });
  for (const id of obsolete) await repository.removeFile('index', id);
}

/** For each marked journal one that says when its packs left the index. */
async function writeDropped(repository: Repository, sweep: PlannedSweep): Promise<void> {
  const { plan, snapshots } = sweep;
  const taken = new Set<FileId>();
  for await (const found of readJournals(repository)) {
    if (found.kind !== 'journal' || found.journal.state !== 'marked') continue;
    const packs = found.journal.packs.filter(({ id }) => plan.drop.has(id) && !taken.has(id));
    for (const { id } of packs) taken.add(id);
    if (packs.length === 0) continue;
    const timeNs = sessionOf(repository).clock.nowNs();
    const used = usedIn(packs, sweep);
    await writeJournal(repository, { state: 'dropped', timeNs, snapshots, packs, used });
  }
}

/** What the packs hold of all that was needed, then or since. */
function usedIn(packs: readonly JournalPack[], { gathered, used }: PlannedSweep): readonly BlobHandle[] {
  const blobs = packs.flatMap((pack) => pack.blobs);
  return blobs.filter(({ type, id }) => used.has(type, id) || gathered.used.has(type, id));
}

function bytesIn(sizes: SweepPlan['remove'], packs: ReadonlySet<FileId>): number {
  let bytes = 0;
  for (const id of packs) bytes += sizes.get(id) ?? 0;
  return bytes;
}
