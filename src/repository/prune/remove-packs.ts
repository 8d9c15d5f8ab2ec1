import type { FileId } from '../../bytes/ids.ts';
import { hasCode } from '../../errors/error.ts';
import type { Listener } from '../../events/events.ts';
import { TaskGroup } from '../../flow/task-group.ts';
import { reasonOf } from '../../host/system-error.ts';
import { shortName } from '../layout.ts';
import type { Repository } from '../repository.ts';

/** Removals at the same time. */
const concurrentRemovals = 5;

export interface RemovalOptions {
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** What became of packs that were to be removed. */
export interface RemovedPacks {
  readonly removed: ReadonlySet<FileId>;
  /** Refused by the storage; each was told as a warning. Those in neither set were gone already. */
  readonly kept: ReadonlySet<FileId>;
}

/** One that can't be removed is told and left: too many packs harm nobody. */
export async function removePacks(
  repository: Repository,
  ids: readonly FileId[],
  { listener, signal }: RemovalOptions,
): Promise<RemovedPacks> {
  const [removed, kept] = [new Set<FileId>(), new Set<FileId>()];
  const sets = { removed, kept, gone: new Set<FileId>() };
  await using group = new TaskGroup({ limit: concurrentRemovals, signal });
  let doneItems = 0;
  for (const id of ids) {
    group.run(async () => {
      sets[await removePack(repository, id, listener)].add(id);
      doneItems += 1;
      listener({ kind: 'progress', phase: 'removing packs', doneBytes: 0, doneItems, totalItems: ids.length });
    });
  }
  await group.wait();
  return { removed, kept };
}

async function removePack(
  repository: Repository,
  id: FileId,
  listener: Listener,
): Promise<'removed' | 'kept' | 'gone'> {
  try {
    await repository.removeFile('data', id);
    return 'removed';
  } catch (error) {
    if (hasCode(error, 'storage-not-found')) return 'gone';
    if (!hasCode(error, 'storage-denied', 'storage-failed', 'storage-timeout', 'storage-read-only')) throw error;
    const message = `can't be removed: ${reasonOf(error)}`;
    listener({ kind: 'warning', during: 'prune', item: shortName('data', id), message });
    return 'kept';
  }
}
