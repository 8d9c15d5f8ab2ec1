import { defaultGroupBy, groupSnapshots, type GroupBy, type SnapshotGroup } from '../retention/group.ts';
import { findSnapshots, type SnapshotFilter } from '../snapshot/snapshots.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { inRepository, type JobContext } from './job.ts';

export interface SnapshotsOptions {
  readonly names: readonly string[];
  readonly filter: SnapshotFilter;
  readonly now: Temporal.ZonedDateTime;
  /** Undefined makes one group of all. */
  readonly groupBy?: GroupBy;
  /** Only so many of each group's newest; of each host and paths when nothing is grouped. */
  readonly latest?: number;
}

export interface SnapshotsOutcome {
  readonly groups: readonly SnapshotGroup<Snapshot>[];
}

const noGroups: GroupBy = { host: false, paths: false, tags: false };

/** Lists snapshots, oldest first. One that can't be read is an error, as in restic: it might be the one looked for. */
export async function listingOfSnapshots(context: JobContext, options: SnapshotsOptions): Promise<SnapshotsOutcome> {
  return await inRepository(context, 'read', async (repository) => {
    const found = await findSnapshots(repository, options.names, options);
    const snapshots = found.map((one) => {
      if (one.kind === 'failed') throw one.error;
      return one.snapshot;
    });
    const groups = groupSnapshots(snapshots, options.groupBy ?? noGroups);
    return { groups: groups.map((group) => ({ ...group, snapshots: newest(group.snapshots, options) })) };
  });
}

function newest(snapshots: readonly Snapshot[], { latest, groupBy }: SnapshotsOptions): readonly Snapshot[] {
  if (latest === undefined || latest === 0) return snapshots;
  if (groupBy !== undefined) return snapshots.slice(-latest);
  const kept = groupSnapshots(snapshots, defaultGroupBy).flatMap((group) => group.snapshots.slice(-latest));
  return snapshots.filter((snapshot) => kept.includes(snapshot));
}
