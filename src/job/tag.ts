import type { FileId } from '../bytes/ids.ts';
import { saveSnapshot, findSnapshots, type SnapshotFilter } from '../snapshot/snapshots.ts';
import { withTags, type TagChange } from '../snapshot/tags.ts';
import { inRepository, type JobContext } from './job.ts';

export interface TagOptions {
  readonly names: readonly string[];
  readonly filter: SnapshotFilter;
  readonly now: Temporal.ZonedDateTime;
  readonly change: TagChange;
}

export interface TagOutcome {
  readonly changed: readonly { readonly from: FileId; readonly to: FileId }[];
}

/**
 * Writes each snapshot anew with other tags, then removes the old one: a crash between leaves both. A snapshot that
 * can't be read is told as a warning.
 */
export async function changeTags(context: JobContext, options: TagOptions): Promise<TagOutcome> {
  return await inRepository(context, 'rewrite', async (repository, signal) => {
    const changed: { readonly from: FileId; readonly to: FileId }[] = [];
    for (const found of await findSnapshots(repository, options.names, options)) {
      signal.throwIfAborted();
      if (found.kind === 'failed') {
        context.listener({ kind: 'warning', during: 'tag', item: found.name, message: found.error.message });
        continue;
      }
      const wanted = withTags(found.snapshot, options.change);
      if (wanted === undefined) continue;
      const to = await saveSnapshot(repository, wanted);
      await repository.removeFile('snapshots', found.snapshot.id);
      changed.push({ from: found.snapshot.id, to });
    }
    return { changed };
  });
}
