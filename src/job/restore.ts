import type { RawPath } from '../bytes/ids.ts';
import type { ReaderOptions } from '../repository/repository.ts';
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
  return await restoreInSteps(context, options, async (restore) => await restore(options.restore));
}

/** As `restoreToFolder`, by several restores of one snapshot, whose repository is opened, and its index read, once. */
export async function restoreInSteps(
  context: JobContext,
  { name, find, target, writeBack }: Omit<RestoreToFolderOptions, 'restore'> & Pick<ReaderOptions, 'writeBack'>,
  steps: (restore: (options: RestoreOptions) => Promise<RestoreOutcome>) => Promise<RestoreOutcome>,
): Promise<RestoreOutcome> {
  return await withNamedTree(context, name, find, async (repository, named, signal) => {
    const { listener } = context;
    const snapshot: NamedSnapshot = named;
    listener({ kind: 'note', name: 'restoring', data: { snapshot } });
    await using reader = await repository.openReader({ signal, writeBack });
    return await steps(async (options) => {
      const request = { repository, tree: named.tree, target, options, listener, signal, reader };
      const mode = options.mode === 'dry-run' ? 'dry-run' : 'execute';
      await thawPacks(repository, { ...context, signal }, { packs: () => packsToRestore(request), mode });
      return await restoreTree(request);
    });
  });
}
