import type { BlobId, FileId, RawPath } from '../bytes/ids.ts';
import type { HoldfastError } from '../errors/error.ts';
import type { BlobType } from '../repository/index.ts';
import type { Repository } from '../repository/repository.ts';
import type { TreeNode } from './entry.ts';
import type { Snapshot } from './snapshot.ts';
import { BlobSet, type Blobs } from '../repository/blob-set.ts';
import { visitTrees, type VisitOptions } from './visit-trees.ts';
import { RecentTrees } from './recent-trees.ts';
import { SoundTrees } from './sound-trees.ts';
import { rootPath, walkTree, type WalkItem } from './walk.ts';

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
  /** Findings beyond those kept. */
  readonly dropped: number;
  /** The blobs that can't be had, of all findings. */
  readonly bad: BlobSet;
  /** What could be read says that these are needed; incomplete when a tree is unreadable. */
  readonly used: Blobs;
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
  const bad = new BlobSet();
  const findings: TreeFinding[] = [];
  let dropped = 0;
  const add = (finding: TreeFinding): void => {
    if (finding.kind !== 'node-wrong') bad.add(finding.type, finding.id);
    if (findings.length < mostFindings) findings.push(finding);
    else dropped += 1;
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
  return { findings, dropped, bad, used };
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

/**
 * The files and folders of the snapshots that need one of the blobs in `bad`, or a tree that can't be read; a tree in
 * `bad` counts even where it can be read by now. A tree without any is read once.
 */
export async function* affectedItems(
  repository: Pick<Repository, 'readBlob'>,
  snapshots: readonly Pick<Snapshot, 'id' | 'tree'>[],
  bad: Blobs,
  signal: AbortSignal,
): AsyncGenerator<AffectedItem, void> {
  const reader = new RecentTrees(repository);
  const sound = new SoundTrees();
  for (const { id: snapshot, tree } of snapshots) {
    let named: RawPath | undefined;
    if (bad.has('tree', tree)) yield { snapshot, path: (named = rootPath), type: 'tree', id: tree };
    if (!sound.enter('', tree)) continue;
    const enter = (path: RawPath, { subtree }: TreeNode): boolean =>
      subtree === undefined || sound.enter(path, subtree);
    for await (const item of walkTree(reader, tree, { signal, enter })) {
      sound.arriveAt(item.path);
      const affected = affectedBy(item, bad);
      if (affected === undefined) continue;
      sound.taint();
      if (item.path === named) continue;
      named = item.path;
      yield { snapshot, path: item.path, ...affected };
    }
    sound.leaveAll();
  }
}

function affectedBy(item: WalkItem, bad: Blobs): Pick<AffectedItem, 'type' | 'id'> | undefined {
  if (item.kind === 'unreadable') return item.tree === undefined ? undefined : { type: 'tree', id: item.tree };
  const { content, subtree } = item.node;
  if (subtree !== undefined && bad.has('tree', subtree)) return { type: 'tree', id: subtree };
  const id = content?.find((blob) => bad.has('data', blob));
  return id === undefined ? undefined : { type: 'data', id };
}
