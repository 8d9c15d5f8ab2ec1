import type { Repository } from '../repository/repository.ts';
import type { Located } from '../snapshot/locate.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { listSnapshots, type SnapshotFilter } from '../snapshot/snapshots.ts';
import { walkTree } from '../snapshot/walk.ts';
import type { WalkOptions } from '../source/source.ts';
import { newestFirst, placeIn } from './path-holders.ts';

/**
 * What the newest of these snapshots that has a path holds there. Those that lack it say nothing: a path that was left
 * out once is asked about again. What can't be read counts as files: nothing says that there were none.
 */
export function heldBefore(repository: Repository, filter: SnapshotFilter): WalkOptions['heldBefore'] {
  let listed: Promise<readonly Snapshot[]> | undefined;
  return async (path) => {
    listed ??= readable(repository, filter);
    for (const { tree } of await listed) {
      const located = await placeIn(repository, tree, path);
      if (located === 'unreadable') return 'files';
      if (located !== undefined) return (await hasFiles(repository, located)) ? 'files' : 'no files';
    }
    return 'nothing known';
  };
}

async function readable(repository: Repository, filter: SnapshotFilter): Promise<readonly Snapshot[]> {
  const found = await listSnapshots(repository, filter);
  return newestFirst(found.flatMap((one) => (one.kind === 'snapshot' ? [one.snapshot] : [])));
}

async function hasFiles(repository: Repository, located: Located): Promise<boolean> {
  const tree = located.kind === 'root' ? located.tree : located.node.subtree;
  if (tree === undefined) return true;
  for await (const item of walkTree(repository, tree))
    if (item.kind === 'unreadable' || item.node.type !== 'dir') return true;
  return false;
}
