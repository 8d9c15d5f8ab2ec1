import type { BlobId, FileId, RawPath } from '../bytes/ids.ts';
import type { HoldfastError } from '../errors/error.ts';
import type { BlobType } from '../repository/index.ts';
import type { Repository } from '../repository/repository.ts';
import type { TreeNode } from './entry.ts';
import type { Snapshot } from './snapshot.ts';
import { BlobSet, type UsedBlobs } from './used-blobs.ts';
import { visitTrees, type VisitOptions } from './visit-trees.ts';
import { walkTree } from './walk.ts';

/** Something wrong with a tree or with what it refers to. */
export interface TreeFinding {
  readonly kind: 'tree-unreadable' | 'blob-missing' | 'node-wrong';
  /** The blob at fault: the tree itself, or the data blob that is in no index. */
  readonly type: BlobType;
  readonly id: BlobId;
  /** The tree in which it was found. */
  readonly tree: BlobId;
  readonly message: string;
}

export interface TreeCheck {
  readonly findings: readonly TreeFinding[];
  /** What could be read says that these are needed; incomplete when a tree is unreadable. */
  readonly used: UsedBlobs;
}

/** Findings that are kept; a repository without its index would have millions. */
const mostFindings = 10_000;

/** Reads every tree of the snapshots, and looks for each blob in the index. The storage is read, never changed. */
export async function checkTrees(
  repository: Pick<Repository, 'readBlob' | 'index'>,
  snapshots: readonly Pick<Snapshot, 'tree'>[],
  options: VisitOptions,
): Promise<TreeCheck> {
  const used = new BlobSet();
  const findings: TreeFinding[] = [];
  const add = (finding: TreeFinding): void => {
    if (findings.length < mostFindings) findings.push(finding);
  };
  const visitor = {
    enter: (tree: BlobId) => used.add('tree', tree),
    node: (tree: BlobId, node: TreeNode) => {
      const fault = faultOf(node);
      if (fault !== undefined) add({ kind: 'node-wrong', type: 'tree', id: tree, tree, message: fault });
      for (const id of node.content ?? []) {
        if (!used.add('data', id) || repository.index.has('data', id)) continue;
        add({ kind: 'blob-missing', type: 'data', id, tree, message: `no index names the data blob ${id}` });
      }
    },
    failed: (tree: BlobId, { message }: HoldfastError) =>
      add({ kind: 'tree-unreadable', type: 'tree', id: tree, tree, message }),
  };
  const roots = snapshots.map(({ tree }) => tree);
  await visitTrees(repository, roots, visitor, options);
  return { findings, used };
}

function faultOf({ type, content, subtree, name }: TreeNode): string | undefined {
  if (type === 'file' && content === null) return `the file ${JSON.stringify(name)} has no list of blobs`;
  return type === 'dir' && subtree === undefined ? `the folder ${JSON.stringify(name)} has no tree` : undefined;
}

/** What a snapshot loses by a blob that is gone or damaged. */
export interface AffectedItem {
  readonly snapshot: FileId;
  readonly path: RawPath;
  readonly type: BlobType;
  readonly id: BlobId;
}

/** The files and folders of the snapshots that need one of the blobs in `bad`. Each snapshot is walked whole. */
export async function* affectedItems(
  repository: Pick<Repository, 'readBlob'>,
  snapshots: readonly Pick<Snapshot, 'id' | 'tree'>[],
  bad: UsedBlobs,
  signal: AbortSignal,
): AsyncGenerator<AffectedItem, void> {
  for (const { id: snapshot, tree } of snapshots) {
    for await (const item of walkTree(repository, tree, { signal })) {
      if (item.kind === 'unreadable') {
        if (item.tree !== undefined) yield { snapshot, path: item.path, type: 'tree', id: item.tree };
        continue;
      }
      const id = item.node.content?.find((blob) => bad.has('data', blob));
      if (id !== undefined) yield { snapshot, path: item.path, type: 'data', id };
    }
  }
}
