import type { RawPath } from '../bytes/ids.ts';
import { listItems } from '../snapshot/list.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { FindOptions } from '../snapshot/snapshots.ts';
import type { WalkedNode } from '../snapshot/walk.ts';
import type { JobContext } from './job.ts';
import { withNamedTree } from './named-tree.ts';

export interface LsOptions {
  readonly name: string;
  readonly find: FindOptions;
  /** Absolute; [] lists everything. */
  readonly folders: readonly RawPath[];
  readonly depth: 'items' | 'all';
  /** Whether the folders on the way to those named are listed too. */
  readonly leading: 'left out' | 'told';
  /** Told of the snapshot, its tree that of the folder that the name gave, then of each item. */
  readonly onSnapshot: (snapshot: Snapshot) => void;
  readonly onItem: (item: WalkedNode) => void;
}

/** A folder that can't be read ends it, as in restic: a list that lacks something must not look whole. */
export async function ls(context: JobContext, options: LsOptions): Promise<void> {
  await withNamedTree(context, options.name, options.find, async (repository, { snapshot, tree }, signal) => {
    options.onSnapshot({ ...snapshot, tree });
    const { folders, leading } = options;
    const depth = folders.length === 0 ? 'all' : options.depth;
    for await (const item of listItems(repository, tree, { folders, depth, leading, signal })) {
      if (item.kind === 'unreadable') throw item.error;
      options.onItem(item);
    }
  });
}
