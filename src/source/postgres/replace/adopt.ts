import { existsSync, type Dirent } from 'node:fs';
import { lstat, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { outputOf } from '../../../host/output-of.ts';
import type { Seat } from '../../in-place.ts';
import { segmentFacts } from '../wal/segment.ts';
import { beginningOf } from '../archive/log-file.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { dataIn, ownerOf, writeOwned } from '../recover/data-files.ts';

/**
 * What PostgreSQL 14 to 18 itself has at the top of a data directory, by its exact names: a dump of somebody's, or a key of
 * the server's, is often called much like it. Anything else is settings of whoever runs it.
 */
const ofCluster: ReadonlySet<string> = new Set([
  ...['base', 'global', 'pg_commit_ts', 'pg_dynshmem', 'pg_logical', 'pg_multixact', 'pg_notify', 'pg_replslot'],
  ...['pg_serial', 'pg_snapshots', 'pg_stat', 'pg_stat_tmp', 'pg_subtrans', 'pg_tblspc', 'pg_twophase', 'pg_wal'],
  ...['pg_xact', 'PG_VERSION', 'postmaster.pid', 'postmaster.opts', 'current_logfiles', 'current_logfiles.tmp'],
  ...['backup_label', 'backup_label.old', 'tablespace_map', 'tablespace_map.old'],
  ...['backup_manifest', 'backup_manifest.tmp', 'recovery.signal', 'standby.signal', 'promote', 'logrotate'],
  // Of one before 12, which a recovery takes away.
  'recovery.done',
]);

/** What a server, an upgrade or a crash says is not undone, and no setting. */
const words = /^(?:logfile|pg_log|pg_upgrade_output\.d|core(?:\.\d+)?)$/;

/** Whether something at the top of a data directory is the cluster's own, and goes back in time with it. */
export function isOfCluster(name: string): boolean {
  return ofCluster.has(name);
}

/** Beyond that a file is a dump that somebody left there. */
const mostSettingBytes = 2 ** 20;

/** Makes what was brought to a moment ready for the place. Called again it does what is left to do. */
export async function adopt(
  folder: string,
  { place, others }: Pick<Seat, 'place' | 'others'>,
  signal: AbortSignal,
): Promise<void> {
  await takeSettings(folder, place, signal);
  await linkTo(folder, others);
  await markLog(folder);
}

/** The data goes back in time, the settings that are in force don't. */
async function takeSettings(folder: string, place: string, signal: AbortSignal): Promise<void> {
  if (!existsSync(place)) return;
  for (const entry of await readdir(place, { withFileTypes: true })) {
    if (!(await isSetting(place, entry))) continue;
    const [from, to] = [join(place, entry.name), join(dataIn(folder), entry.name)];
    await rm(to, { recursive: true, force: true });
    await outputOf('cp', ['-a', '--', from, to], signal, 'unheard');
  }
}

/** Files and links, and folders that files are included from, as conf.d. */
async function isSetting(place: string, entry: Dirent): Promise<boolean> {
  if (isOfCluster(entry.name) || words.test(entry.name)) return false;
  if (entry.isFile()) return (await lstat(join(place, entry.name))).size <= mostSettingBytes;
  return entry.isSymbolicLink() || (entry.isDirectory() && entry.name.endsWith('.d'));
}

/** Where a tablespace will be, not where it waits. */
async function linkTo(folder: string, others: Seat['others']): Promise<void> {
  for (const { from, location } of others) {
    const link = join(dataIn(folder), 'pg_tblspc', from);
    if (!(await lstat(link)).isSymbolicLink() || (await readlink(link)) === location) continue;
    const draft = `${link}.tmp`;
    await rm(draft, { force: true });
    await symlink(location, draft);
    await rename(draft, link);
  }
}

/**
 * What came out of the log is in it; what the new timeline has written by itself is the server's to hand over, its history
 * first: a promotion without an archive leaves no word of it.
 */
export async function markLog(folder: string): Promise<void> {
  const data = dataIn(folder);
  const log = join(data, 'pg_wal');
  const owner = await ownerOf(data);
  const names = (await readdir(log)).toSorted();
  const newest = timelineOf(names.findLast((name) => name.endsWith('.history')) ?? '');
  const segments: string[] = [];
  for (const name of names) if (await isSegment(log, name)) segments.push(name);
  const written = segments.at(-1);
  const known = [...segments.filter((name) => name !== written), ...names.filter((name) => name.endsWith('.history'))];
  for (const name of known) {
    const state = timelineOf(name) === newest ? 'ready' : 'done';
    const mark = join(log, 'archive_status', name);
    if (!existsSync(`${mark}.ready`) && !existsSync(`${mark}.done`)) await writeOwned(`${mark}.${state}`, '', owner);
  }
}

const timelineOf = (name: string): string => name.slice(0, 8);

async function isSegment(log: string, name: string): Promise<boolean> {
  if (!/^[0-9A-F]{24}$/.test(name)) return false;
  try {
    const { bytes, sizeBytes } = await beginningOf(join(log, name), name);
    segmentFacts(name, bytes, sizeBytes);
    return true;
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return false;
  }
}
