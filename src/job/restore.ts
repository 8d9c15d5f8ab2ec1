import type { RawPath } from '../bytes/ids.ts';
import { packsToRestore, restoreTree, type RestoreOptions, type RestoreOutcome } from '../snapshot/restore.ts';
import type { FindOptions, NamedSnapshot } from '../snapshot/snapshots.ts';
import type { JobContext } from './job.ts';
import { withNamedTree } from './named-tree.ts';
import { thawPacks } from './thaw.ts';

export interface RestoreToFolderOptions {
  /** `latest`, a moment, an ID; with `:folder` behind, only that folder. */
  readonly name: string;
  readonly find: FindOptions;
  readonly target: RawPath;
  readonly restore: RestoreOptions;
}

/**
 * Restores a snapshot to a folder. A note 'restoring' {snapshot: NamedSnapshot} tells which one it is before anything
 * is written. What could not be restored is in the outcome.
 */
export async function restoreToFolder(context: JobContext, options: RestoreToFolderOptions): Promise<RestoreOutcome> {
  const { name, find, target, restore } = options;
  return await withNamedTree(context, name, find, async (repository, named, signal) => {
    const { listener } = context;
    const snapshot: NamedSnapshot = named;
    listener({ kind: 'note', name: 'restoring', data: { snapshot } });
    const request = { repository, tree: named.tree, target, options: restore, listener, signal };
    const mode = restore.mode === 'dry-run' ? 'dry-run' : 'execute';
    await thawPacks(repository, { ...context, signal }, { packs: () => packsToRestore(request), mode });
    return await restoreTree(request);
  });
}
