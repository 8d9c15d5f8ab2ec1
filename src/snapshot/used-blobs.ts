import type { BlobId } from '../bytes/ids.ts';
import { BlobSet, type Blobs } from '../repository/blob-set.ts';
import { visitTrees, type TreesReader, type VisitOptions } from './visit-trees.ts';

/** Everything that these trees need. Fails when one of the trees can't be read: then nothing may be called unused. */
export async function usedBlobs(reader: TreesReader, trees: readonly BlobId[], options: VisitOptions): Promise<Blobs> {
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
