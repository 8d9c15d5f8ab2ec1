import type { FileId } from '../bytes/ids.ts';
import { diffTrees, type Change, type DiffStatistics } from '../snapshot/diff.ts';
import { findSnapshot, type FindOptions } from '../snapshot/snapshots.ts';
import { inRepository, type JobContext } from './job.ts';
import { treeOf } from './named-tree.ts';
import { loadReadableIndex } from './readable-index.ts';

export interface DiffJobOptions {
  readonly before: string;
  readonly after: string;
  readonly find: FindOptions;
  readonly metadata: 'compared' | 'ignored';
  readonly onSnapshots: (before: FileId, after: FileId) => void;
  readonly onChange: (change: Change) => void;
}

/** A folder that can't be compared is told as a warning. */
export async function diff(context: JobContext, options: DiffJobOptions): Promise<DiffStatistics> {
  return await inRepository(context, 'read', async (repository, signal) => {
    const before = await findSnapshot(repository, options.before, options.find);
    const after = await findSnapshot(repository, options.after, options.find);
    options.onSnapshots(before.snapshot.id, after.snapshot.id);
    await loadReadableIndex(repository, context.listener);
    const trees = [await treeOf(repository, before), await treeOf(repository, after)] as const;
    const changes = diffTrees(repository, ...trees, { metadata: options.metadata, signal });
    for (;;) {
      const { done, value } = await changes.next();
      if (done === true) return value;
      if (value.kind === 'change') options.onChange(value);
      else context.listener({ kind: 'warning', during: 'diff', item: value.path, message: value.error.message });
    }
  });
}
