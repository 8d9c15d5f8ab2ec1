import type { Snapshot } from '../snapshot/snapshot.ts';

export type GroupBy = 'host' | 'paths' | 'tags';

/** What the snapshots of a group have in common; what they aren't grouped by is left out. */
export interface GroupKey {
  readonly hostname: string;
  readonly paths: readonly string[] | null;
  readonly tags: readonly string[] | null;
}

export interface SnapshotGroup {
  readonly key: GroupKey;
  /** In the order given. */
  readonly snapshots: readonly Snapshot[];
}

/** Groups in the order in which each first appears. Order and repetition of paths and tags make no difference. */
export function groupSnapshots(snapshots: readonly Snapshot[], by: readonly GroupBy[]): readonly SnapshotGroup[] {
  const groups = Map.groupBy(snapshots, (snapshot) => JSON.stringify(keyOf(snapshot, by)));
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    return first === undefined ? [] : [{ key: keyOf(first, by), snapshots: members }];
  });
}

function keyOf(snapshot: Snapshot, by: readonly GroupBy[]): GroupKey {
  return {
    hostname: by.includes('host') ? snapshot.hostname : '',
    paths: by.includes('paths') ? snapshot.paths.toSorted() : null,
    tags: by.includes('tags') ? snapshot.tags.toSorted() : null,
  };
}
