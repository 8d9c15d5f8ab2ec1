import type { BlobId, FileId } from '../../bytes/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { listSnapshots, loadSnapshot } from '../../snapshot/snapshots.ts';

/** Fails when one can't be read: what it needs would be lost. */
export async function allSnapshots(repository: Repository): Promise<readonly Snapshot[]> {
  return (await listSnapshots(repository)).map((found) => {
    if (found.kind === 'failed') throw found.error;
    return found.snapshot;
  });
}

export async function treesOf(repository: Repository, ids: readonly FileId[]): Promise<readonly BlobId[]> {
  const trees: BlobId[] = [];
  for (const id of ids) trees.push((await loadSnapshot(repository, id)).tree);
  return trees;
}

/** IDs and trees of the snapshots that aren't `gone`. */
export function treesIn(
  found: readonly Snapshot[],
  gone: ReadonlySet<FileId>,
): { readonly snapshots: readonly FileId[]; readonly trees: readonly BlobId[] } {
  const left = found.filter(({ id }) => !gone.has(id));
  return { snapshots: left.map(({ id }) => id), trees: left.map(({ tree }) => tree) };
}
