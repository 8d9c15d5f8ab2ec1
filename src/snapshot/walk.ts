import { rawPathOfByteString, type BlobId, type RawPath } from '../bytes/ids.ts';
import type { ErrorCode } from '../errors/codes.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import type { Repository } from '../repository/repository.ts';
import type { TreeNode } from './entry.ts';
import { decodeTree } from './tree.ts';

/** The part of a repository that reading trees needs. */
export type TreeReader = Pick<Repository, 'readBlob'>;

export type WalkItem = WalkedNode | UnreadableTree;

export interface WalkedNode {
  readonly kind: 'node';
  /** From the tree's root, with a '/' in front. */
  readonly path: RawPath;
  readonly node: TreeNode;
  /** The tree that holds the node. */
  readonly tree: BlobId;
}

/** A folder whose tree, or the rest of it, can't be read; the walk goes on beside it. */
export interface UnreadableTree {
  readonly kind: 'unreadable';
  readonly path: RawPath;
  readonly tree: BlobId | undefined;
  readonly error: HoldfastError;
}

export interface WalkOptions {
  /** Whether to go into a folder that was just yielded; into all without it. */
  readonly enter?: (path: RawPath, node: TreeNode) => boolean;
  readonly signal?: AbortSignal;
}

/**
 * Everything below a tree, depth first, each folder before what it holds, in the order of the names' bytes. Memory:
 * one tree for each level of depth, and depth is bounded: a repository can hold a nesting that no file system can.
 */
export async function* walkTree(
  reader: TreeReader,
  root: BlobId,
  options: WalkOptions = {},
): AsyncGenerator<WalkItem, void> {
  const open: OpenFolder[] = [];
  const first = await openFolder(reader, rootPath, root);
  if (first.kind === 'unreadable') yield first;
  else open.push(first);
  for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
    options.signal?.throwIfAborted();
    const item = nextNode(folder);
    if (item === undefined || item.kind === 'unreadable') open.pop();
    if (item !== undefined) yield item;
    if (item?.kind !== 'node' || item.node.type !== 'dir' || options.enter?.(item.path, item.node) === false) continue;
    const child = open.length < deepest ? await openFolder(reader, item.path, item.node.subtree) : tooDeep(item);
    if (child.kind === 'unreadable') yield child;
    else open.push(child);
  }
}

export const rootPath = rawPathOfByteString('/');
/** More levels than a path of the longest length that Linux takes can have. */
export const deepest = 2048;
/** Failures that concern one tree; all others end the walk. */
export const ofOneTree: readonly ErrorCode[] = ['blob-missing', 'damaged', 'storage-not-found', 'storage-failed'];

interface OpenFolder {
  readonly kind: 'open';
  readonly path: RawPath;
  readonly tree: BlobId;
  readonly nodes: Iterator<TreeNode, void>;
}

async function openFolder(
  reader: TreeReader,
  path: RawPath,
  tree: BlobId | undefined,
): Promise<OpenFolder | UnreadableTree> {
  if (tree === undefined) return unreadable(path, tree, new HoldfastError('damaged', 'a folder has no tree'));
  try {
    return { kind: 'open', path, tree, nodes: decodeTree(await reader.readBlob('tree', tree)) };
  } catch (error) {
    return unreadable(path, tree, error);
  }
}

function nextNode({ path, tree, nodes }: OpenFolder): WalkItem | undefined {
  try {
    const { value: node } = nodes.next();
    if (!node) return undefined;
    return { kind: 'node', path: rawPathOfByteString(`${path === '/' ? '' : path}/${node.name}`), node, tree };
  } catch (error) {
    return unreadable(path, tree, error);
  }
}

function unreadable(path: RawPath, tree: BlobId | undefined, error: unknown): UnreadableTree {
  if (!hasCode(error, ...ofOneTree)) throw error;
  return { kind: 'unreadable', path, tree, error };
}

function tooDeep({ path, node }: WalkedNode): UnreadableTree {
  return unreadable(path, node.subtree, nestedTooDeep());
}

export function nestedTooDeep(): HoldfastError {
  return new HoldfastError('damaged', `folders are nested more than ${deepest} deep`);
}
