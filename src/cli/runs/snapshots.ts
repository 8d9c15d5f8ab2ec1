import { listingOfSnapshots } from '../../job/snapshots.ts';
import { parseGroupBy, type SnapshotGroup } from '../../retention/group.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { goesByPolicy } from '../by-policy.ts';
import { jobContext } from '../access.ts';
import type { Run } from '../command.ts';
import type { snapshotsOptions } from '../commands/snapshots.ts';
import { filterOf, presentTime } from '../selection.ts';
import { snapshotRecord } from '../snapshot-record.ts';
import { groupTitle, snapshotTable } from '../snapshot-table.ts';

export const run: Run<typeof snapshotsOptions> = async ({ values, operands }, context) => {
  if (await goesByPolicy(context)) {
    const { showSnapshots } = await import('../components/snapshots.ts');
    return await showSnapshots(operands, values, context);
  }
  const { console } = context;
  const groupBy = values.groupBy ? parseGroupBy(values.groupBy) : undefined;
  const latest = values.last ? 1 : values.latest;
  const { groups } = await listingOfSnapshots(jobContext(context), {
    names: operands,
    filter: filterOf(values),
    now: presentTime(context),
    ...(groupBy === undefined ? {} : { groupBy }),
    ...(latest === undefined ? {} : { latest }),
  });
  if (console.form === 'json') {
    console.record(
      groupBy === undefined
        ? groups.flatMap(records)
        : groups.map((group) => ({ group_key: group.key, snapshots: records(group) })),
    );
    return 0;
  }
  for (const group of groups.length === 0
    ? [{ key: { hostname: '', paths: null, tags: null }, snapshots: [] }]
    : groups) {
    const title = groupTitle(group.key);
    if (title !== undefined) console.say(title);
    for (const line of snapshotTable(group.snapshots, values.compact ? 'compact' : 'full')) console.say(line);
  }
  return 0;
};

function records(group: SnapshotGroup<Snapshot>): readonly unknown[] {
  return group.snapshots.map(snapshotRecord);
}
