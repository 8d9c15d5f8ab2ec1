import type { BlobId } from '../bytes/ids.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import type { Repository } from '../repository/repository.ts';
import type { TreeNode } from './entry.ts';
import { decodeTree } from './tree.ts';
import { ofOneTree, type TreeReader } from './walk.ts';

/** Sees every tree once, however many folders share it. */
export interface TreeVisitor {
  /** A tree is met, and read afterwards. False when it was seen before, or isn't of interest. */
  enter(tree: BlobId): boolean;
  node(tree: BlobId, node: TreeNode): void;
  /** The tree, or the rest of it, can't be read. */
  failed(tree: BlobId, error: HoldfastError): void;
}

export interface VisitOptions {
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** Trees that are read at the same time, and how much they may hold together unless one alone holds more. */
const atOnce = 16;
const bytesAtOnce = 64 * 1024 * 1024;

/** With the index, it is known how large a tree is before it is read. */
export type TreesReader = TreeReader & Partial<Pick<Repository, 'index'>>;

/** Visits the trees and all below them, in no order that means anything. */
export async function visitTrees(
  reader: TreesReader,
  roots: readonly BlobId[],
  visitor: TreeVisitor,
  options: VisitOptions,
): Promise<void> {
  const backlog: BlobId[] = [];
  // No tree waits twice: those that share subtrees level after level would fill the memory.
  const add = (trees: readonly BlobId[]): void => {
    for (const tree of trees.filter((each) => visitor.enter(each)).reverse()) backlog.push(tree);
  };
  add(roots);
  for (let done = 0; backlog.length > 0;) {
    options.signal.throwIfAborted();
    const batch = takeBatch(backlog, reader);
    const read = await Promise.all(batch.map((tree) => tryRead(reader, tree)));
    for (const [at, tree] of batch.entries()) add(visitNodes(tree, read[at], visitor));
    done += batch.length;
    options.listener({ kind: 'progress', phase: 'reading trees', doneBytes: 0, doneItems: done });
  }
}

/** From the end of the backlog, in its order. */
function takeBatch(backlog: BlobId[], { index }: TreesReader): readonly BlobId[] {
  let [count, bytes] = [0, 0];
  for (const tree of backlog.slice(-atOnce).toReversed()) {
    bytes += index?.plainLength('tree', tree) ?? 0;
    if (count > 0 && bytes > bytesAtOnce) break;
    count += 1;
  }
  return backlog.splice(-count);
}

async function tryRead(reader: TreeReader, tree: BlobId): Promise<Uint8Array | HoldfastError> {
  try {
    return await reader.readBlob('tree', tree);
  } catch (error) {
    if (!hasCode(error, ...ofOneTree)) throw error;
    return error;
  }
}

/** Returns the trees of the folders in it. */
function visitNodes(
  tree: BlobId,
  json: Uint8Array | HoldfastError | undefined,
  visitor: TreeVisitor,
): readonly BlobId[] {
  const subtrees: BlobId[] = [];
  try {
    if (json === undefined || json instanceof HoldfastError)
      throw json ?? new HoldfastError('internal', 'a tree was not read');
    for (const node of decodeTree(json)) {
      visitor.node(tree, node);
      if (node.subtree !== undefined) subtrees.push(node.subtree);
    }
  } catch (error) {
    if (!hasCode(error, ...ofOneTree)) throw error;
    visitor.failed(tree, error);
  }
  return subtrees;
}
