import { localZoneName } from '../clock/zone.ts';
import { parseTagList } from '../retention/tags.ts';
import type { FindOptions, SnapshotFilter } from '../snapshot/snapshots.ts';
import type { Context } from './context.ts';
import { resolve } from 'node:path';

interface FilterValues {
  readonly host: readonly string[];
  readonly tag: readonly string[];
  readonly path: readonly string[];
}

/** What --host, --tag and --path choose. A host '' takes back what RESTIC_HOST says. */
export function filterOf({ host, tag, path }: FilterValues): SnapshotFilter {
  return {
    hosts: host.length === 1 && host[0] === '' ? [] : host,
    tagLists: tag.map(parseTagList),
    paths: path.map((one) => resolve(one)),
  };
}

/** The present moment in the zone of this machine: what `yesterday` is counted from. */
export function presentTime({ clock }: Context): Temporal.ZonedDateTime {
  return new Temporal.Instant(clock.nowNs()).toZonedDateTimeISO(localZoneName());
}

/** How a name of one snapshot is understood. */
export function findOptions(values: FilterValues, context: Context): FindOptions {
  return { filter: filterOf(values), now: presentTime(context) };
}
