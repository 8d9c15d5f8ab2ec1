import type { FileId } from '../../bytes/ids.ts';
import type { Listener } from '../../events/events.ts';
import { copyBlobs } from '../../repository/carry.ts';
import type { PackedBlob } from '../../repository/pack.ts';
import type { BlobWriter, WriterOptions } from '../../repository/repository.ts';
import { affectedItems, type AffectedItem } from '../check.ts';
import type { CopyPlan, FromTo } from '../copy.ts';
import type { Snapshot, SnapshotFields } from '../snapshot.ts';
import { saveSnapshot } from '../snapshots.ts';
import { BlobSet } from '../../repository/blob-set.ts';
import type { CopyBatch } from './gather.ts';
import { originalOf } from './similar.ts';

export interface CopyOptions {
  readonly writer: WriterOptions;
  readonly listener: Listener;
  /** Told of each snapshot that is there now. */
  readonly onCopied: (snapshot: Snapshot, id: FileId) => void;
}

export interface CopyOutcome {
  readonly copied: number;
  /** What could not be read of the source, by snapshot: such a snapshot isn't copied. */
  readonly lost: readonly AffectedItem[];
  /** What the new packs hold. */
  readonly blobs: number;
  readonly storedBytes: number;
}

/** Packs, then index, then snapshots, batch by batch: whatever stops it leaves no snapshot that lacks anything. */
export async function executeCopy(repositories: FromTo, plan: CopyPlan, options: CopyOptions): Promise<CopyOutcome> {
  await using writer = await repositories.target.openWriter(options.writer);
  const run = new Copying(repositories, writer, options, plan);
  for (const batch of plan.batches) await run.copy(batch);
  const { dataBlobs, treeBlobs, dataStoredBytes, treeStoredBytes } = writer.totals;
  const storedBytes = dataStoredBytes + treeStoredBytes;
  return { copied: run.copied, lost: run.lost, blobs: dataBlobs + treeBlobs, storedBytes };
}

class Copying {
  copied = 0;
  readonly lost: AffectedItem[] = [];
  readonly #repositories: FromTo;
  readonly #writer: BlobWriter;
  readonly #options: CopyOptions;
  readonly #plan: CopyPlan;
  readonly #unreadable = new BlobSet();
  #doneBytes = 0;
  #doneBlobs = 0;

  constructor(repositories: FromTo, writer: BlobWriter, options: CopyOptions, plan: CopyPlan) {
    this.#repositories = repositories;
    this.#writer = writer;
    this.#options = options;
    this.#plan = plan;
  }

  async copy({ snapshots, missing, blobs }: CopyBatch): Promise<void> {
    const { source, target } = this.#repositories;
    const { signal } = this.#options.writer;
    if (blobs > 0) {
      const how = { writer: this.#writer, signal, onPack: this.#progress };
      for (const { location } of await copyBlobs(source, missing, how)) {
        this.#unreadable.add(location.type, location.id);
      }
      await this.#writer.flush();
    }
    const damaged = await this.#damaged(snapshots);
    for (const snapshot of snapshots.filter(({ id }) => !damaged.has(id))) {
      signal.throwIfAborted();
      const id = await saveSnapshot(target, copyOf(snapshot));
      this.copied += 1;
      this.#options.onCopied(snapshot, id);
    }
  }

  /** Those that need what could not be read, of this batch or of one before. */
  async #damaged(snapshots: readonly Snapshot[]): Promise<ReadonlySet<FileId>> {
    if (this.#unreadable.size === 0) return new Set();
    const { signal } = this.#options.writer;
    const { source } = this.#repositories;
    const damaged = new Set<FileId>();
    for await (const item of affectedItems(source, snapshots, this.#unreadable, signal)) {
      this.lost.push(item);
      damaged.add(item.snapshot);
    }
    return damaged;
  }

  readonly #progress = (blobs: readonly PackedBlob[]): void => {
    this.#doneBlobs += blobs.length;
    this.#doneBytes += blobs.reduce((sum, { length }) => sum + length, 0);
    const done = { doneBytes: this.#doneBytes, doneItems: this.#doneBlobs };
    const { bytes: totalBytes, blobs: totalItems } = this.#plan;
    this.#options.listener({ kind: 'progress', phase: 'copying', ...done, totalBytes, totalItems });
  };
}

/** The parent means nothing in another repository. */
function copyOf(snapshot: Snapshot): SnapshotFields {
  const { parent: _parent, id: _id, timeNs: _timeNs, ...fields } = snapshot;
  return { ...fields, original: originalOf(snapshot) };
}
