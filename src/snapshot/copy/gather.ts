import type { BlobId, FileId } from '../../bytes/ids.ts';
import type { BlobType } from '../../repository/index.ts';
import { HoldfastError } from '../../errors/error.ts';
import { affectedItems, type AffectedItem } from '../check.ts';
import type { CopyPlan, FromTo, PlanCopyOptions } from '../copy.ts';
import type { Snapshot } from '../snapshot.ts';
import { BlobSet } from '../../repository/blob-set.ts';
import { visitTrees } from '../visit-trees.ts';

/** Snapshots that are written together, once all that they need is durable. */
export interface CopyBatch {
  readonly snapshots: readonly Snapshot[];
  /** What they need, the target lacks, and no batch before has. */
  readonly missing: BlobSet;
  readonly blobs: number;
  /** As stored in the source. */
  readonly bytes: number;
}

/** A batch ends once it has this many packs' worth of blobs, as restic's does: an interrupted copy loses no more. */
const packsPerBatch = 100;

type Gathered = Omit<CopyPlan, 'skipped'>;

/** What has to be copied for these snapshots. One that the source has lost a part of is left out. */
export async function gatherBatches(
  repositories: FromTo,
  snapshots: readonly Snapshot[],
  options: PlanCopyOptions,
): Promise<Gathered> {
  const lost: AffectedItem[] = [];
  // What could be read before may be gone the next time.
  for (let whole = snapshots; ;) {
    const { gathered, gone } = await gather(repositories, whole, options);
    if (gone.size === 0) return { ...gathered, lost };
    const damaged = new Set<FileId>();
    for await (const item of affectedItems(repositories.source, whole, gone, options.signal)) {
      lost.push(item);
      damaged.add(item.snapshot);
    }
    if (damaged.size === 0) throw new HoldfastError('internal', 'no snapshot needs what the source has lost');
    whole = whole.filter(({ id }) => !damaged.has(id));
  }
}

async function gather(
  { source, target }: FromTo,
  snapshots: readonly Snapshot[],
  options: PlanCopyOptions,
): Promise<{ readonly gathered: Gathered; readonly gone: BlobSet }> {
  const gatherer = new Gatherer({ source, target }, packsPerBatch * options.packSizeBytes);
  for (const snapshot of snapshots) {
    await visitTrees(source, [snapshot.tree], gatherer, options);
    gatherer.end(snapshot);
  }
  return { gathered: gatherer.finish(), gone: gatherer.gone };
}

class Gatherer {
  /** Blobs that the source doesn't have either. */
  readonly gone = new BlobSet();
  readonly #repositories: FromTo;
  readonly #batchBytes: number;
  readonly #trees = new BlobSet();
  readonly #taken = new BlobSet();
  readonly #packs = new Set<FileId>();
  readonly #batches: CopyBatch[] = [];
  #batch = newBatch();

  constructor(repositories: FromTo, batchBytes: number) {
    this.#repositories = repositories;
    this.#batchBytes = batchBytes;
  }

  enter(tree: BlobId): boolean {
    if (!this.#trees.add('tree', tree)) return false;
    this.#need('tree', tree);
    return true;
  }

  node(_tree: BlobId, { content }: { readonly content: readonly BlobId[] | null }): void {
    for (const blob of content ?? []) this.#need('data', blob);
  }

  failed(tree: BlobId): void {
    this.gone.add('tree', tree);
  }

  /** Everything that the snapshot needs was seen. */
  end(snapshot: Snapshot): void {
    this.#batch.snapshots.push(snapshot);
    if (this.#batch.bytes < this.#batchBytes) return;
    this.#batches.push(this.#batch);
    this.#batch = newBatch();
  }

  finish(): Gathered {
    const batches = this.#batch.snapshots.length === 0 ? this.#batches : [...this.#batches, this.#batch];
    const sum = (of: (batch: CopyBatch) => number): number => batches.reduce((total, batch) => total + of(batch), 0);
    return {
      batches,
      lost: [],
      blobs: sum(({ blobs }) => blobs),
      bytes: sum(({ bytes }) => bytes),
      packs: this.#packs,
    };
  }

  #need(type: BlobType, id: BlobId): void {
    const { source, target } = this.#repositories;
    if (target.index.has(type, id) || !this.#taken.add(type, id)) return;
    const place = source.index.locate(type, id);
    if (place === undefined) {
      this.gone.add(type, id);
      return;
    }
    this.#batch.missing.add(type, id);
    this.#batch.blobs += 1;
    this.#batch.bytes += place.length;
    this.#packs.add(place.pack);
  }
}

interface OpenBatch extends CopyBatch {
  readonly snapshots: Snapshot[];
  blobs: number;
  bytes: number;
}

function newBatch(): OpenBatch {
  return { snapshots: [], missing: new BlobSet(), blobs: 0, bytes: 0 };
}
