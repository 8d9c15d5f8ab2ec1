import type { RawPath } from '../../../bytes/ids.ts';

/**
 * What of a data directory belongs into a base backup that is read file by file: what the server itself would send
 * (src/backend/backup/basebackup.c), without what would have a copy follow production (see placing.ts).
 */
export function isEmptied(folder: RawPath): boolean {
  return emptied.has(folder);
}

/** They stay as folders, and what is in them is of no use to a copy. */
const emptied: ReadonlySet<string> = new Set([
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
  'pg_wal',
]);

/** Whether a file or folder of this name stays away, wherever it is. */
export function isExcluded(name: string): boolean {
  return excluded.has(name) || name.startsWith('pg_internal.init') || name.startsWith('pgsql_tmp');
}

const excluded: ReadonlySet<string> = new Set([
  'postgresql.auto.conf.tmp',
  'current_logfiles.tmp',
  'backup_label',
  'backup_label.old',
  'backup_manifest',
  'tablespace_map',
  'tablespace_map.old',
  'postmaster.pid',
  'postmaster.opts',
  'standby.signal',
  'recovery.signal',
]);

const relation = /^(\d+)(?:_(fsm|vm|init))?(?:\.\d+)?$/;
const ofSession = /^t\d+_\d+(?:_(?:fsm|vm|init))?(?:\.\d+)?$/;

/**
 * Which files of one folder of relations stay away: temporary relations, and unlogged ones but for the fork from which
 * a server makes them anew after a crash.
 */
export function unloggedIn(names: readonly string[]): (name: string) => boolean {
  const unlogged = new Set<string>();
  for (const name of names) {
    const [, number, fork] = relation.exec(name) ?? [];
    if (number !== undefined && fork === 'init') unlogged.add(number);
  }
  return (name) => {
    if (ofSession.test(name)) return true;
    const [, number, fork] = relation.exec(name) ?? [];
    return number !== undefined && fork !== 'init' && unlogged.has(number);
  };
}
