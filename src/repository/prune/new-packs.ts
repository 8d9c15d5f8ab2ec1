import type { FileId } from '../../bytes/ids.ts';
import { TaskGroup } from '../../flow/task-group.ts';
import { confirmStored } from '../confirm.ts';
import type { BlobIndex } from '../index.ts';
import { keyOf } from '../layout.ts';
import { headerEntryBytes, packOverheadBytes } from '../pack.ts';
import type { Repository } from '../repository.ts';

/** Questions at the same time. */
const concurrentQuestions = 5;

export function packsOf(index: BlobIndex): ReadonlySet<FileId> {
  const packs = new Set<FileId>();
  for (const { pack } of index.all()) packs.add(pack);
  return packs;
}

/** Asks for each pack that is not in `known`: the old ones go only once the storage has the new ones. */
export async function confirmNewPacks(
  repository: Repository,
  known: ReadonlySet<FileId>,
  signal: AbortSignal,
): Promise<void> {
  const sizes = new Map<FileId, number>();
  for (const { pack, length, compressed } of repository.index.all()) {
    if (known.has(pack)) continue;
    sizes.set(pack, (sizes.get(pack) ?? packOverheadBytes([])) + length + headerEntryBytes(compressed));
  }
  await using group = new TaskGroup({ limit: concurrentQuestions, signal });
  for (const [pack, sizeBytes] of sizes) {
    group.run(() => confirmStored(repository.storage, { key: keyOf('data', pack), sizeBytes }, { signal }));
  }
  await group.wait();
}
