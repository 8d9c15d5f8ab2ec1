import { HoldfastError } from '../errors/error.ts';
import type { DatedSnapshot } from './keep.ts';

/** What snapshots of one group share. */
export interface GroupBy {
  readonly host: boolean;
  readonly paths: boolean;
  readonly tags: boolean;
}

/** restic's: by host and paths. */
export const defaultGroupBy: GroupBy = { host: true, paths: true, tags: false };

/** The shared values; '' or null for what isn't grouped by (null too for no tags, as in restic's JSON). */
export interface GroupKey {
  readonly tags: readonly string[] | null;
  readonly hostname: string;
  readonly paths: readonly string[] | null;
}

export interface SnapshotGroup<S extends DatedSnapshot> {
  readonly key: GroupKey;
  readonly snapshots: readonly S[];
}

/** Parses `host,paths,tags`, each also in the other number; '' groups nothing. */
export function parseGroupBy(text: string): GroupBy {
  const options = text.split(',').filter((option) => option !== '');
  const unknown = options.find((option) => !/^(?:hosts?|paths?|tags?)$/.test(option));
  if (unknown !== undefined)
    throw new HoldfastError('usage', `can't group by ${JSON.stringify(unknown)}: only by host, paths and tags`);
  const has = (name: string): boolean => options.some((option) => option === name || option === `${name}s`);
  return { host: has('host'), paths: has('path'), tags: has('tag') };
}

/** Groups snapshots, in an order that depends on the groups' keys alone. The order of paths and tags is no difference. */
export function groupSnapshots<S extends DatedSnapshot>(
  snapshots: readonly S[],
  by: GroupBy,
): readonly SnapshotGroup<S>[] {
  const groups = Map.groupBy(snapshots, (snapshot) => JSON.stringify(keyOf(snapshot, by)));
  return [...groups]
    .toSorted(([a], [b]) => compareBytes(a, b))
    .flatMap(([, members]) => (members[0] ? [{ key: keyOf(members[0], by), snapshots: members }] : []));
}

/** For people: `host a, path [/b], tags [c]`. */
export function describeGroup({ hostname, paths, tags }: GroupKey): string {
  const parts = [hostname && `host ${hostname}`, listed('path', paths), listed('tags', tags)];
  return parts.filter((part) => part !== '').join(', ');
}

function keyOf(snapshot: DatedSnapshot, by: GroupBy): GroupKey {
  return {
    tags: by.tags && snapshot.tags.length > 0 ? snapshot.tags.toSorted(compareBytes) : null,
    hostname: by.host ? snapshot.hostname : '',
    paths: by.paths ? snapshot.paths.toSorted(compareBytes) : null,
  };
}

function listed(name: string, values: readonly string[] | null): string {
  return values && values.length > 0 ? `${name} [${values.join(' ')}]` : '';
}

/** Go's order of strings; UTF-16 has another. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
