import type { StoredBlob, StoredContent } from '../../repository/repository.ts';
import type { BackupCounts } from '../snapshot.ts';

/** What became of an item, compared with the parent snapshot. */
export type Change = 'new' | 'changed' | 'unmodified';

/** What an item added to the repository, bytes. */
export interface Added {
  readonly blobs: number;
  readonly plainBytes: number;
  readonly storedBytes: number;
}

export const nothingAdded: Added = { blobs: 0, plainBytes: 0, storedBytes: 0 };

export function addedByContent({ newBlobs, newBytes, storedBytes }: StoredContent): Added {
  return { blobs: newBlobs, plainBytes: newBytes, storedBytes };
}

export function addedByTree({ known, storedBytes }: StoredBlob, plainBytes: number): Added {
  return known ? nothingAdded : { blobs: 1, plainBytes, storedBytes };
}

/** Adds up what restic's summary has. */
export class Counter {
  readonly #files = { new: 0, changed: 0, unmodified: 0 };
  readonly #folders = { new: 0, changed: 0, unmodified: 0 };
  #dataBlobs = 0;
  #treeBlobs = 0;
  #added = 0;
  #addedPacked = 0;
  #bytes = 0;

  get files(): number {
    return this.#files.new + this.#files.changed + this.#files.unmodified;
  }

  get folders(): number {
    return this.#folders.new + this.#folders.changed + this.#folders.unmodified;
  }

  /** Of all files so far. */
  get bytes(): number {
    return this.#bytes;
  }

  file(change: Change, sizeBytes: number, added: Added): void {
    this.#files[change] += 1;
    this.#bytes += sizeBytes;
    this.#dataBlobs += added.blobs;
    this.#addBytes(added);
  }

  folder(change: Change, added: Added): void {
    this.#folders[change] += 1;
    this.root(added);
  }

  /** The root is a tree, but no folder that counts. */
  root(added: Added): void {
    this.#treeBlobs += added.blobs;
    this.#addBytes(added);
  }

  counts(): BackupCounts {
    return {
      filesNew: this.#files.new,
      filesChanged: this.#files.changed,
      filesUnmodified: this.#files.unmodified,
      dirsNew: this.#folders.new,
      dirsChanged: this.#folders.changed,
      dirsUnmodified: this.#folders.unmodified,
      dataBlobs: this.#dataBlobs,
      treeBlobs: this.#treeBlobs,
      dataAdded: this.#added,
      dataAddedPacked: this.#addedPacked,
      totalFilesProcessed: this.files,
      totalBytesProcessed: this.#bytes,
    };
  }

  #addBytes({ plainBytes, storedBytes }: Added): void {
    this.#added += plainBytes;
    this.#addedPacked += storedBytes;
  }
}
