import { rawPathOf, type FileId, type RawPath } from '../bytes/ids.ts';
import { hasCode } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import type { Repository } from '../repository/repository.ts';
import { locate, type Located } from '../snapshot/locate.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { ofOneTree } from '../snapshot/walk.ts';

/** What stands at a path of a tree; undefined: nothing. */
export async function placeIn(
  repository: Repository,
  tree: Snapshot['tree'],
  path: RawPath,
): Promise<Located | 'unreadable' | undefined> {
  try {
    return await locate(repository, tree, path);
  } catch (error) {
    if (hasCode(error, 'path-not-found')) return undefined;
    if (hasCode(error, ...ofOneTree)) return 'unreadable';
    throw error;
  }
}

export function newestFirst(snapshots: readonly Snapshot[]): readonly Snapshot[] {
  return snapshots.toSorted((a, b) => (a.timeNs === b.timeNs ? 0 : a.timeNs > b.timeNs ? -1 : 1));
}

/**
 * Of each path that the newest of these snapshots is said to be of, the newest that certainly has it: a path that was
 * empty for once is left out of a backup, and its last files may stand in an old snapshot alone. Nothing is read where
 * there is one path: a backup without any is none. The repository is opened once more for it.
 */
export async function newestHolders(
  repository: Repository,
  snapshots: readonly Snapshot[],
  listener: Listener,
): Promise<ReadonlyMap<FileId, readonly string[]>> {
  const ordered = newestFirst(snapshots);
  const paths = ordered[0]?.paths ?? [];
  if (paths.length < 2) return new Map();
  await using reading = await repository.again();
  await reading.loadIndex(listener);
  const found = new Map<FileId, string[]>();
  for (const path of paths) {
    const holder = await newestWith(reading, ordered, rawPathOf(path));
    if (holder !== undefined) found.getOrInsertComputed(holder.id, () => []).push(path);
  }
  return found;
}

async function newestWith(
  repository: Repository,
  ordered: readonly Snapshot[],
  path: RawPath,
): Promise<Snapshot | undefined> {
  for (const snapshot of ordered) {
    const place = await placeIn(repository, snapshot.tree, path);
    if (place !== undefined && place !== 'unreadable') return snapshot;
  }
  return undefined;
}
