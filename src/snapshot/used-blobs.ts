import { IdSet } from '../bytes/id-set.ts';
import type { BlobId } from '../bytes/ids.ts';
import type { BlobType } from '../repository/index.ts';
import { visitTrees, type TreesReader, type VisitOptions } from './visit-trees.ts';

/** Blobs that snapshots need. */
export interface UsedBlobs {
  readonly size: number;
  has(type: BlobType, id: BlobId): boolean;
}

/** In about 64 bytes a blob. */
export class BlobSet implements UsedBlobs {
  readonly #ids = { data: new IdSet(), tree: new IdSet() };

  get size(): number {
    return this.#ids.data.size + this.#ids.tree.size;
  }

  has(type: BlobType, id: BlobId): boolean {
    return this.#ids[type].has(id);
  }

  /** Whether it is new. */
  add(type: BlobType, id: BlobId): boolean {
    return this.#ids[type].add(id);
  }
}

/** Everything that these trees need. Fails when one of the trees can't be read: then nothing may be called unused. */
export async function usedBlobs(
  reader: TreesReader,
  trees: readonly BlobId[],
  options: VisitOptions,
): Promise<UsedBlobs> {
  const used = new BlobSet();
  const visitor = {
    enter: (tree: BlobId) => used.add('tree', tree),
    node: (_tree: BlobId, { content }: { readonly content: readonly BlobId[] | null }) => {
      for (const blob of content ?? []) used.add('data', blob);
    },
    failed: (_tree: BlobId, error: Error) => {
      throw error;
    },
  };
  await visitTrees(reader, trees, visitor, options);
  return used;
}
