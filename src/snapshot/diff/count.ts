import { parseBlobId, type BlobId } from '../../bytes/ids.ts';
import { silent } from '../../events/events.ts';
import type { BlobIndex, BlobType } from '../../repository/index.ts';
import type { TreeNode } from '../entry.ts';
import { BlobSet } from '../../repository/blob-set.ts';
import { visitTrees } from '../visit-trees.ts';
import type { TreeReader } from '../walk.ts';

/** What is on one side alone. */
export interface DiffSide {
  readonly files: number;
  readonly dirs: number;
  readonly others: number;
  readonly dataBlobs: number;
  readonly treeBlobs: number;
  /** Plaintext of these blobs. */
  readonly bytes: number;
}

export interface DiffStatistics {
  readonly changedFiles: number;
  readonly added: DiffSide;
  readonly removed: DiffSide;
}

/** Items of one side, and the blobs met there. */
class SideCount {
  readonly blobs = new Set<string>();
  #files = 0;
  #dirs = 0;
  #others = 0;

  /** An item that the other side doesn't have. */
  item({ type }: TreeNode): void {
    if (type === 'file') this.#files += 1;
    else if (type === 'dir') this.#dirs += 1;
    else this.#others += 1;
  }

  needs({ content, subtree }: TreeNode): void {
    for (const id of content ?? []) this.blobs.add(`data ${id}`);
    if (subtree !== undefined) this.blobs.add(`tree ${subtree}`);
  }

  summary(index: BlobIndex, isOther: (type: BlobType, id: BlobId) => boolean): DiffSide {
    const sums = { data: 0, tree: 0, bytes: 0 };
    for (const blob of this.blobs) {
      const type = blob.startsWith('data') ? 'data' : 'tree';
      const id = parseBlobId(blob.slice(5));
      if (isOther(type, id)) continue;
      sums[type] += 1;
      sums.bytes += index.plainLength(type, id) ?? 0;
    }
    const items = { files: this.#files, dirs: this.#dirs, others: this.#others };
    return { ...items, dataBlobs: sums.data, treeBlobs: sums.tree, bytes: sums.bytes };
  }
}

export class DiffCount {
  readonly before = new SideCount();
  readonly after = new SideCount();
  changedFiles = 0;
  /** Below folders that are the same on both sides. */
  readonly #common = new BlobSet();

  constructor(before: BlobId, after: BlobId) {
    this.before.blobs.add(`tree ${before}`);
    this.after.blobs.add(`tree ${after}`);
  }

  /** Everything below a folder that is the same on both sides; what can't be read there is no difference. */
  async addCommon(reader: TreeReader, tree: BlobId): Promise<void> {
    const visitor = {
      enter: (id: BlobId) => this.#common.add('tree', id),
      node: (_tree: BlobId, { content }: TreeNode) => {
        for (const id of content ?? []) this.#common.add('data', id);
      },
      failed: () => undefined,
    };
    await visitTrees(reader, [tree], visitor, { listener: silent, signal: new AbortController().signal });
  }

  statistics(index: BlobIndex): DiffStatistics {
    const missingIn = (other: SideCount) => (type: BlobType, id: BlobId) =>
      other.blobs.has(`${type} ${id}`) || this.#common.has(type, id);
    const removed = this.before.summary(index, missingIn(this.after));
    return { changedFiles: this.changedFiles, added: this.after.summary(index, missingIn(this.before)), removed };
  }
}
