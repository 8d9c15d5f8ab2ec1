import { displayPath, rawPathOf, rawPathOfByteString, type BlobId, type RawPath } from '../bytes/ids.ts';
import { joinPath } from '../bytes/unix-path.ts';
import { HoldfastError } from '../errors/error.ts';
import type { TreeNode } from './entry.ts';
import { decodeTree } from './tree.ts';
import type { TreeReader } from './walk.ts';

/** What stands at a path of a snapshot: its root, or a node. */
export type Located =
  | { readonly kind: 'root'; readonly tree: BlobId }
  | { readonly kind: 'node'; readonly node: TreeNode };

/** `path` may have a '/' in front or not; 'path-not-found' when nothing is there. */
export async function locate(reader: TreeReader, root: BlobId, path: RawPath): Promise<Located> {
  let located: Located = { kind: 'root', tree: root };
  let walked = rawPathOf('/');
  for (const name of joinPath('/', path)
    .split('/')
    .filter((part) => part !== '')) {
    const tree = treeOf(located, walked);
    walked = joinPath(walked, name);
    const node = findNode(await reader.readBlob('tree', tree), rawPathOfByteString(name));
    if (node === undefined) throw new HoldfastError('path-not-found', `the snapshot has no ${displayPath(walked)}`);
    located = { kind: 'node', node };
  }
  return located;
}

/** The tree of a folder inside a snapshot; the root's where `path` is empty. */
export async function locateFolder(reader: TreeReader, root: BlobId, path: RawPath): Promise<BlobId> {
  return treeOf(await locate(reader, root, path), path);
}

function treeOf(located: Located, path: RawPath): BlobId {
  if (located.kind === 'root') return located.tree;
  const { type, subtree } = located.node;
  if (type === 'dir' && subtree !== undefined) return subtree;
  throw new HoldfastError('path-not-found', `${displayPath(path)} is no folder in the snapshot`);
}

function findNode(tree: Uint8Array, name: RawPath): TreeNode | undefined {
  for (const node of decodeTree(tree)) {
    if (node.name === name) return node;
    if (node.name > name) return undefined;
  }
  return undefined;
}
