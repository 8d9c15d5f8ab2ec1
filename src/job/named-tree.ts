import { rawPathOf, type BlobId } from '../bytes/ids.ts';
import type { Repository } from '../repository/repository.ts';
import { locateFolder } from '../snapshot/locate.ts';
import { findSnapshot, type FindOptions, type NamedSnapshot } from '../snapshot/snapshots.ts';
import { inRepository, type JobContext } from './job.ts';
import { loadReadableIndex } from './readable-index.ts';

export interface NamedTree extends NamedSnapshot {
  /** Of the folder that the name gave, else the snapshot's own. */
  readonly tree: BlobId;
}

/** Opens, finds the snapshot and then loads the index, in this order: what the snapshot needs is in the index then. */
export async function withNamedTree<T>(
  context: JobContext,
  name: string,
  find: FindOptions,
  body: (repository: Repository, named: NamedTree, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return await inRepository(context, 'read', async (repository, signal) => {
    const named = await findSnapshot(repository, name, find);
    await loadReadableIndex(repository, context.listener);
    return await body(repository, { ...named, tree: await treeOf(repository, named) }, signal);
  });
}

export async function treeOf(repository: Repository, { snapshot, subfolder }: NamedSnapshot): Promise<BlobId> {
  if (subfolder === '') return snapshot.tree;
  return await locateFolder(repository, snapshot.tree, rawPathOf(subfolder));
}
