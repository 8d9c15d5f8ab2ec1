import { rawPathOf, type BlobId, type RawPath } from '../bytes/ids.ts';
import type { PathPatterns } from '../bytes/path-pattern.ts';
import type { BlobType } from '../repository/index.ts';
import { walkTree, type TreeReader, type UnreadableTree, type WalkedNode } from './walk.ts';

export interface FindQuery {
  readonly patterns: PathPatterns;
  /** Bounds of the modification time, inclusive. */
  readonly oldestNs?: bigint;
  readonly newestNs?: bigint;
}

/** The nodes below a tree whose path matches; folders are entered only where something below may match. */
export async function* findNodes(
  reader: TreeReader,
  root: BlobId,
  query: FindQuery,
  signal?: AbortSignal,
): AsyncGenerator<WalkedNode | UnreadableTree, void> {
  const enter = (path: RawPath): boolean => query.patterns.matchesHereOrBelow(path).belowMayMatch;
  for await (const item of walkTree(reader, root, { enter, ...(signal && { signal }) })) {
    if (item.kind === 'unreadable' || (query.patterns.matches(item.path) && isInTime(item, query))) yield item;
  }
}

function isInTime({ node }: WalkedNode, { oldestNs, newestNs }: FindQuery): boolean {
  return (oldestNs === undefined || node.mtimeNs >= oldestNs) && (newestNs === undefined || node.mtimeNs <= newestNs);
}

/** A blob that was looked for, and where it is used. */
export interface FoundBlob {
  readonly kind: 'blob';
  readonly type: BlobType;
  readonly id: BlobId;
  /** The file that it is a part of, or the folder whose tree it is. */
  readonly path: RawPath;
  /** Of a file's blob, the tree that holds the file. */
  readonly parentTree?: BlobId;
}

/** Where blobs are used below a tree: `wanted` says which, by their IDs. */
export async function* findBlobs(
  reader: TreeReader,
  root: BlobId,
  wanted: (type: BlobType, id: BlobId) => boolean,
  signal?: AbortSignal,
): AsyncGenerator<FoundBlob | UnreadableTree, void> {
  if (wanted('tree', root)) yield { kind: 'blob', type: 'tree', id: root, path: rawPathOf('/') };
  for await (const item of walkTree(reader, root, signal === undefined ? {} : { signal })) {
    if (item.kind === 'unreadable') yield item;
    else yield* blobsOf(item, wanted);
  }
}

function* blobsOf(
  { path, node, tree }: WalkedNode,
  wanted: (type: BlobType, id: BlobId) => boolean,
): Generator<FoundBlob> {
  const { subtree, content } = node;
  if (subtree !== undefined && wanted('tree', subtree)) yield { kind: 'blob', type: 'tree', id: subtree, path };
  for (const id of new Set(content)) {
    if (wanted('data', id)) yield { kind: 'blob', type: 'data', id, path, parentTree: tree };
  }
}
