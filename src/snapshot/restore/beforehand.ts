import type { BlobId, RawPath } from '../../bytes/ids.ts';
import type { Directory } from '../../host/directory.ts';
import { decodeTree } from '../tree.ts';
import { deepest } from '../walk.ts';
import { below } from './below.ts';
import { removeAt } from './clear-way.ts';
import type { RestoreContext } from './context.ts';
import type { Folder } from './folder.ts';

/** What stands in a folder that a restore would fill: a file of the snapshot’s, or something that is none of its. */
interface Standing {
  readonly folder: Folder;
  readonly name: RawPath;
  readonly isThere: boolean;
  /** Of the snapshot's file; undefined for what the snapshot doesn't hold. */
  readonly sizeBytes: number | undefined;
}

/** Meets each file of the snapshot, and each extra, of the folders that are wanted, before anything is written. */
async function meetAll(
  context: RestoreContext,
  folder: Folder,
  tree: BlobId,
  meet: (standing: Standing) => void,
): Promise<void> {
  const { repository, options, signal } = context;
  const nodes = [...decodeTree(await repository.readBlob('tree', tree))];
  const directory = folder.openIfThere();
  const names = new Set(nodes.map(({ name }) => name));
  for (const name of directory?.names() ?? []) {
    if (names.has(name) || !options.select(below(folder.location, name), 'other').selected) continue;
    meet({ folder, name, isThere: true, sizeBytes: undefined });
  }
  for (const node of nodes) {
    signal.throwIfAborted();
    const { name, sizeBytes, subtree } = node;
    const type = node.type === 'dir' ? 'directory' : 'other';
    const { selected, childrenMayBe } = options.select(below(folder.location, name), type);
    const isThere = directory?.lstatIfThere(name) !== undefined;
    if (node.type === 'file' && selected) meet({ folder, name, isThere, sizeBytes });
    if (subtree === undefined || !childrenMayBe || folder.depth >= deepest) continue;
    const child = folder.child(node);
    try {
      await meetAll(context, child, subtree, meet);
    } finally {
      child.release();
    }
  }
}

/** Takes away what the snapshot doesn't hold, so that its room is there for what it does. */
export async function removeExtras(context: RestoreContext, root: Folder, tree: BlobId): Promise<void> {
  await meetAll(context, root, tree, ({ folder, name, sizeBytes }) => {
    const directory = folder.openIfThere();
    if (sizeBytes !== undefined || directory === undefined) return;
    const tell = (path: RawPath): void => context.tally.done('deleted', below(folder.location, path), 0);
    if (context.isDryRun) tell(name);
    else removeAt(directory, name, 'all', tell);
  });
}

/** By how many bytes what stands there grows while it is restored, its extras gone; below 0 where it shrinks. */
export async function growthOf(context: RestoreContext, root: Folder, tree: BlobId): Promise<number> {
  let bytes = 0;
  await meetAll(context, root, tree, ({ folder, name, isThere, sizeBytes }) => {
    const directory = folder.openIfThere();
    const stood = isThere && directory !== undefined ? sizeAt(directory, name) : 0;
    bytes += (sizeBytes ?? 0) - stood;
  });
  return bytes;
}

function sizeAt(directory: Directory, name: RawPath): number {
  const stats = directory.lstatIfThere(name);
  if (stats?.isDirectory() !== true) return Number(stats?.size ?? 0n);
  using inner = directory.openDirectory(name);
  return inner.names().reduce((sum, one) => sum + sizeAt(inner, one), 0);
}
