import type { FileId } from '../bytes/ids.ts';
import type { Listener } from '../events/events.ts';
import type { Repository, WriterOptions } from '../repository/repository.ts';
import type { AffectedItem } from './check.ts';
import { gatherBatches, type CopyBatch } from './copy/gather.ts';
import { copiesIn } from './copy/similar.ts';
import type { Snapshot } from './snapshot.ts';

export { executeCopy, type CopyOutcome } from './copy/execute.ts';
export type { CopyBatch } from './copy/gather.ts';

/**
 * What a copy is going to do: nothing else is done. Made anew after an interruption, it finds the packs, indexes and
 * snapshots that are there already.
 */
export interface CopyPlan {
  /** In the order in which they are copied. */
  readonly batches: readonly CopyBatch[];
  /** The target has a similar copy of these. */
  readonly skipped: readonly SkippedSnapshot[];
  /** What the source itself has lost, by snapshot: such a snapshot isn't copied. */
  readonly lost: readonly AffectedItem[];
  /** What the target lacks, all together. */
  readonly blobs: number;
  /** As stored in the source. */
  readonly bytes: number;
  /** Packs of the source that are to be read. */
  readonly packs: ReadonlySet<FileId>;
}

export interface SkippedSnapshot {
  readonly snapshot: Snapshot;
  readonly copiedAs: FileId;
}

/** The repositories of a copy, with their indexes loaded. */
export interface FromTo {
  readonly source: Repository;
  readonly target: Repository;
}

export interface PlanCopyOptions {
  /** Snapshots of the source, in the order in which they are to be copied. */
  readonly wanted: readonly Snapshot[];
  /** All of the target. */
  readonly present: readonly Snapshot[];
  readonly packSizeBytes: WriterOptions['packSizeBytes'];
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** Finds what the target lacks, and changes nothing. */
export async function planCopy(repositories: FromTo, options: PlanCopyOptions): Promise<CopyPlan> {
  const { wanted, present } = options;
  const copies = copiesIn(present);
  const skipped: SkippedSnapshot[] = [];
  const candidates: Snapshot[] = [];
  for (const snapshot of wanted) {
    const copy = copies.similarTo(snapshot);
    if (copy === undefined) candidates.push(snapshot);
    else skipped.push({ snapshot, copiedAs: copy.id });
  }
  return { ...(await gatherBatches(repositories, candidates, options)), skipped };
}
