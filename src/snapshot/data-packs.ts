import type { BlobId, FileId } from '../bytes/ids.ts';
import type { BlobIndex } from '../repository/index.ts';
import type { Repository } from '../repository/repository.ts';
import type { TreeNode } from './entry.ts';
import { visitTrees, type VisitOptions } from './visit-trees.ts';

/** The packs in which a file's data is looked for first. */
export function packsOfFile({ content }: Pick<TreeNode, 'content'>, index: BlobIndex): ReadonlySet<FileId> {
  const packs = new Set<FileId>();
  addPacks(packs, content ?? [], index);
  return packs;
}

/** Those of every file below these trees, as far as these can be read. */
export async function packsBelow(
  repository: Repository,
  trees: readonly BlobId[],
  options: VisitOptions,
): Promise<ReadonlySet<FileId>> {
  const packs = new Set<FileId>();
  const seen = new Set<BlobId>();
  const visitor = {
    enter: (tree: BlobId) => seen.size < seen.add(tree).size,
    node: (_tree: BlobId, { content }: Pick<TreeNode, 'content'>) => addPacks(packs, content ?? [], repository.index),
    failed: () => undefined, // told by who needs it
  };
  await visitTrees(repository, trees, visitor, options);
  return packs;
}

function addPacks(packs: Set<FileId>, blobs: readonly BlobId[], index: BlobIndex): void {
  for (const blob of blobs) {
    const place = index.locate('data', blob);
    if (place !== undefined) packs.add(place.pack);
  }
}
