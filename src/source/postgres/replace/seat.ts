import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import type { OtherSeat, Seat } from '../../in-place.ts';
import { parseDescription, type Description } from '../description.ts';
import { findPrograms } from '../find-programs.ts';
import { assertLinked, epochOfOurs } from './ours.ts';
import { slotsIn } from './slots.ts';
import { withoutLinks } from './without-links.ts';

export interface Looking {
  readonly component: string;
  /** Where postgres.json of the backup was restored to. */
  readonly folder: string;
  readonly programs: readonly string[];
  readonly signal: AbortSignal;
  readonly isHalfOver: (place: string) => boolean;
}

/** Where a cluster stood by its backup, and whether what stands there now is that cluster, or nothing. */
export async function lookAtSeat({ component, folder, programs, signal, isHalfOver }: Looking): Promise<Seat> {
  const description = parseDescription(await readFile(join(folder, component, 'postgres.json'), 'utf8'));
  const { dataDirectory, major, systemIdentifier } = description;
  if (dataDirectory === null)
    throw new HoldfastError('unsupported', `${component}: its backup doesn’t say where the data directory stood`, {
      next: 'The role of the address needs pg_read_all_settings for that. `--target DIR` works. Nothing was changed.',
    });
  if ((await findPrograms(major, programs, signal)) === undefined)
    throw new HoldfastError('unsupported', `${component}: this host has no programs of PostgreSQL ${major}`, {
      next: 'Install them, or name their folder by `programs:` in the policy. Nothing was changed.',
    });
  const place = withoutLinks(dataDirectory);
  const ours = { component, systemIdentifier };
  const epoch = isHalfOver(place) ? undefined : await epochOfOurs(place, ours);
  const isUnread = epoch === undefined && !isHalfOver(place) && existsSync(join(place, 'global/pg_control'));
  const others = await Promise.all(description.tablespaces.map(async (one) => await otherSeat(one, { major, place })));
  const doubts = isUnread ? [unread(place)] : [];
  return { place, epoch, others: others.flat(), doubts, afterwards: await afterwardsOf(component, place) };
}

function unread(place: string): string {
  return `${place}/global/pg_control can’t be read, or is damaged: whether this very cluster stands there, and on which timeline, is not known. Should it be another one, stop here, and move it away`;
}

async function otherSeat(
  { oid, location }: Description['tablespaces'][number],
  { major, place }: { readonly major: number; readonly place: string },
): Promise<readonly OtherSeat[]> {
  if (location === undefined) return [];
  try {
    const found = (await readdir(location)).find((name) => name.startsWith(`PG_${major}_`));
    if (found !== undefined) await assertLinked(place, { location: realpathSync(location), name: found });
    const name = found ?? `PG_${major}_${catalogVersions.get(major)}`;
    return [{ from: oid, location: realpathSync(location), name }];
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw new HoldfastError('refused', `the tablespace ${oid} stood in ${location}: ${reasonOf(error)}`, {
      cause: error,
      next: 'Make the folder, owned by the user of the server, or mount its disk. Nothing was changed.',
    });
  }
}

/** CATALOG_VERSION_NO of each major, by which the folder of a tablespace is named. */
const catalogVersions: ReadonlyMap<number, number> = new Map([
  [14, 202107181],
  [15, 202209061],
  [16, 202307071],
  [17, 202406281],
  [18, 202506291],
]);

async function afterwardsOf(component: string, place: string): Promise<readonly string[]> {
  const slots = await slotsIn(place);
  const named = (kind: 'physical' | 'logical'): string =>
    slots
      .filter((slot) => slot.kind === kind)
      .map(({ name }) => name)
      .join(', ');
  const [physical, logical] = [named('physical'), named('logical')];
  const log = join(place, 'pg_wal');
  const isElsewhere = existsSync(log) && lstatSync(log).isSymbolicLink();
  return [
    ...(logical === '' ? [] : [`logical slots are lost, their subscribers begin anew: ${logical}`]),
    ...(physical === '' ? [] : [`slots to be created again: ${physical}`]),
    physical === ''
      ? 'standbys, where there are any, are rebuilt: they follow another timeline'
      : `standbys that use ${physical} are rebuilt: they follow another timeline`,
    ...(isElsewhere
      ? [`pg_wal stands in ${realpathSync(log)}; the new one stands within ${place}: move it again`]
      : []),
    `\`holdfast postgres setup ${component} --apply\` creates its slot again`,
    `\`holdfast backup ${component}\` at once: only with it the new timeline stands by itself`,
  ];
}
