import { localZoneName } from '../clock/zone.ts';
import type { GroupKey } from '../retention/group.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { formatBytes, formatTime, plural, quoteForTerminal } from './format.ts';
import { tableLines } from './table.ts';

/** Snapshots as restic's table, oldest first; `reasons` tells of each why it is kept. */
export function snapshotTable(
  snapshots: readonly Snapshot[],
  form: 'full' | 'compact',
  reasons?: ReadonlyMap<Snapshot, readonly string[]>,
): readonly string[] {
  const columns: readonly Column[] = [
    { title: 'ID', cell: ({ id }) => [id.slice(0, 8)] },
    { title: 'Time', cell: ({ timeNs }) => [formatTime(timeNs)] },
    { title: 'Host', cell: ({ hostname }) => [hostname] },
    { title: 'Tags', cell: ({ tags }) => (form === 'compact' ? tags : [tags.join(',')]) },
    ...(reasons === undefined ? [] : [{ title: 'Reasons', cell: (snapshot: Snapshot) => reasons.get(snapshot) ?? [] }]),
    ...(form === 'compact' ? [] : [{ title: 'Paths', cell: ({ paths }: Snapshot) => paths }]),
    { title: 'Size', cell: ({ summary }) => [summary === undefined ? '' : formatBytes(summary.totalBytesProcessed)] },
  ];
  return tableLines({
    header: columns.map(({ title }) => title),
    rows: snapshots.map((snapshot) => columns.map(({ cell }) => cell(snapshot).map(quoteForTerminal))),
    footer: `${plural(snapshots.length, 'snapshot')}, times in ${localZoneName()}`,
    right: [columns.length - 1],
  });
}

interface Column {
  readonly title: string;
  readonly cell: (snapshot: Snapshot) => readonly string[];
}

/** Undefined for the one group of everything. */
export function groupTitle({ hostname, paths, tags }: GroupKey): string | undefined {
  const facts = [
    ...(hostname === '' ? [] : [`host ${hostname}`]),
    ...(tags === null ? [] : [`tags ${tags.join(', ')}`]),
    ...(paths === null ? [] : [`paths ${paths.join(', ')}`]),
  ];
  return facts.length === 0 ? undefined : `snapshots for ${facts.map(quoteForTerminal).join(', ')}:`;
}
