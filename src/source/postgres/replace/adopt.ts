import { existsSync, type Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { copyTree } from '../../../host/copy-tree.ts';
import type { Seat } from '../../in-place.ts';
import { segmentFacts } from '../wal/segment.ts';
import { beginningOf } from '../archive/log-file.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { ForeignFolder } from '../../../host/foreign-folder.ts';
import { Workplace } from '../recover/workplace.ts';

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
  using at = Workplace.open(folder);
  await takeSettings(at, place, signal);
  linkTo(at, others);
  await markLog(at);
}

/** The data goes back in time, the settings that are in force don't. */
async function takeSettings({ data }: Workplace, place: string, signal: AbortSignal): Promise<void> {
  if (!existsSync(place)) return;
  for (const entry of await readdir(place, { withFileTypes: true })) {
    if (!(await isSetting(place, entry))) continue;
    data.removeAll(entry.name);
    await copyTree(join(place, entry.name), data.pathForAll(entry.name), signal);
  }
}

/** Files and links, and folders that files are included from, as conf.d. */
async function isSetting(place: string, entry: Dirent): Promise<boolean> {
  if (isOfCluster(entry.name) || words.test(entry.name)) return false;
  if (entry.isFile()) return (await lstat(join(place, entry.name))).size <= mostSettingBytes;
  return entry.isSymbolicLink() || (entry.isDirectory() && entry.name.endsWith('.d'));
}

/** Where a tablespace will be, not where it waits. */
function linkTo({ data }: Workplace, others: Seat['others']): void {
  if (others.length === 0) return;
  using spaces = data.folder('pg_tblspc');
  for (const { from, location } of others) if (spaces.link(from) !== undefined) spaces.lead(from, location);
}

/**
 * What came out of the log is in it; what the new timeline has written by itself is the server's to hand over, its history
 * first: a promotion without an archive leaves no word of it.
 */
export async function markLog(at: Workplace, where: 'there' | 'there or elsewhere' = 'there'): Promise<void> {
  using log = where === 'there' ? at.data.folder('pg_wal') : logOf(at);
  const names = log.names().toSorted();
  const newest = timelineOf(names.findLast((name) => name.endsWith('.history')) ?? '');
  const segments: string[] = [];
  for (const name of names) if (await isSegment(log.path, name)) segments.push(name);
  const written = segments.at(-1);
  const known = [...segments.filter((name) => name !== written), ...names.filter((name) => name.endsWith('.history'))];
  if (known.length === 0) return;
  const { owner } = at;
  using marks = log.folder('archive_status');
  for (const name of known) {
    const state = timelineOf(name) === newest ? 'ready' : 'done';
    if (!marks.has(`${name}.ready`) && !marks.has(`${name}.done`)) marks.put(`${name}.${state}`, '', { owner });
  }
}

/** On a disk of its own it is the server's user's, as the place is. */
function logOf({ data }: Workplace): ForeignFolder {
  const isElsewhere = data.link('pg_wal') !== undefined;
  const log = ForeignFolder.open(join(data.path, 'pg_wal'), isElsewhere ? 'followed' : 'refused');
  if (log.stat().uid === data.stat().uid) return log;
  log[Symbol.dispose]();
  throw new HoldfastError('refused', `${log.path} leads to a folder of somebody else’s`);
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
