import { existsSync, lstatSync } from 'node:fs';
import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import type { OverExtent, OverPart, Seat } from '../../in-place.ts';
import { always, finishDirectory, prepareDirectory } from '../recover/data-files.ts';
import { ownFolderIn, Workplace } from '../recover/workplace.ts';
import { isOfCluster, markLog } from './adopt.ts';
import { assertLinked } from './ours.ts';
import { notThrough } from './prepared.ts';

/** Settings, certificates, logs of the server, whatever else somebody put there: none of it goes back in time. */
export async function extentOver({ place, others }: Pick<Seat, 'place' | 'others'>): Promise<OverExtent> {
  if (!existsSync(join(place, 'PG_VERSION')))
    throw new HoldfastError('refused', `no cluster stands in ${place}: there is nothing to be restored over`, {
      next: 'Leave --delta out. Nothing was changed.',
    });
  for (const { location, name } of others)
    if (existsSync(join(location, name))) await assertLinked(place, { location, name });
  const names = (await readdir(place)).filter((name) => !isOfCluster(name));
  const log = await logElsewhere(place);
  return { parts: [{ from: '', to: place }, ...log], keeps: [...names, ...log.map(({ from }) => from)] };
}

/** A later plan may be of another backup, which knows others: none is written by what an earlier one knew. */
export async function withTablespaces(extent: OverExtent, others: Seat['others']): Promise<OverExtent> {
  const spaces = others.map(({ from, location, name }) => ({
    from: `pg_tblspc/${from}/${name}`,
    to: join(location, name),
  }));
  for (const { to } of spaces) assertNoLink(to);
  const keeps = [...extent.keeps, ...others.map(({ from }) => `pg_tblspc/${from}`)];
  return { parts: [...extent.parts, ...spaces], keeps };
}

function assertNoLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    throw new HoldfastError('refused', `${path} is a link that leads elsewhere: nothing is written through it`, {
      next: 'Leave --delta out, or put a folder there. Nothing was changed.',
    });
}

/** A pg_wal on a disk of its own stays there, where it is the server's user's, and nothing but a log. */
async function logElsewhere(place: string): Promise<readonly OverPart[]> {
  const log = join(place, 'pg_wal');
  if (lstatSync(log, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return [];
  if (!existsSync(log)) throw notJustLog(log, await readlink(log));
  const to = await realpath(log);
  const [own, other] = [await stat(place), await stat(to)];
  const isLog = (name: string): boolean =>
    /^(?:[0-9A-F]{24}(?:\..*)?|[0-9A-F]{8}\.history|archive_status|summaries|lost\+found|\..*|xlogtemp\..*)$/.test(
      name,
    );
  if (other.isDirectory() && own.uid === other.uid && (await readdir(to)).every(isLog)) return [{ from: 'pg_wal', to }];
  throw notJustLog(log, to);
}

function notJustLog(log: string, to: string): HoldfastError {
  return new HoldfastError(
    'refused',
    `${log} leads to ${to}, which is not there, or not just the log of this cluster`,
    {
      next: 'Mount its disk, or have the link lead to a folder of its own, or leave --delta out. Nothing was changed.',
    },
  );
}

/** Without a word of whom to let in no server starts: a setting of the data directory itself beats those elsewhere. */
export function prepareOver(folder: string, { place, others }: Pick<Seat, 'place' | 'others'>): void {
  using at = Workplace.open(folder, place);
  using spaces = at.data.has(spacesName)
    ? at.data.folder(spacesName)
    : at.data.folderMade(spacesName, { owner: at.owner });
  for (const { from, location } of others) spaces.lead(from, location);
  const nowhere = join(ownFolderIn(folder), notThrough);
  prepareDirectory(folder, { settings: { ...always, hba_file: nowhere }, place });
}

const spacesName = 'pg_tblspc';

export async function finishOver(folder: string, place: string): Promise<void> {
  using at = Workplace.open(folder, place);
  finishDirectory(at, 'the original');
  await markLog(at, 'there or elsewhere');
}
