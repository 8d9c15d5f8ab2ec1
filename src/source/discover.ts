import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { splitWords } from '../secret/words.ts';

/** Something on this host that somebody would miss. */
export interface Discovery {
  /** A name for the component that protects it. */
  readonly name: string;
  /** What was seen, for people. */
  readonly why: string;
  readonly protects:
    | { readonly kind: 'files'; readonly paths: readonly string[] }
    /** A line that dumps it; `program` tells a policy's own dump of the same thing. */
    | { readonly kind: 'command'; readonly dump: string; readonly filename: string; readonly program: string };
}

/** What stands at usual places below a root, by looking alone: nothing is run and nobody connected to. */
export function discover(root = '/'): readonly Discovery[] {
  const at = (path: string): string => join(root, path);
  const there = (...paths: readonly string[]): boolean => paths.some((path) => existsSync(at(path)));
  return [
    ...(there('var/lib/postgresql', 'var/run/postgresql') ? [postgres] : []),
    ...(there('var/lib/redis', 'etc/redis/redis.conf') ? [redis] : []),
    ...(there('var/lib/mysql') ? [mysql] : []),
    ...(there('var/lib/mongodb', 'var/lib/mongo') ? [mongodb] : []),
    ...files('docker-volumes', 'volumes of Docker', folderOf(at, 'var/lib/docker/volumes')),
    ...files('websites', 'what nginx or another server gives out', folderOf(at, 'var/www')),
    ...files('services', 'data of services', folderOf(at, 'srv')),
    ...files('homes', 'home directories', [...folderOf(at, 'home'), ...folderOf(at, 'root')]),
    ...files('configuration', configured(there), folderOf(at, 'etc')),
    ...files('cron', 'crontabs of users', folderOf(at, 'var/spool/cron')),
  ];
}

const postgres: Discovery = {
  name: 'postgres',
  why: 'a PostgreSQL server',
  protects: { kind: 'command', dump: 'pg_dumpall', filename: 'all.sql', program: 'pg_dump' },
};
const redis: Discovery = {
  name: 'redis',
  why: 'a Redis server',
  protects: { kind: 'command', dump: 'redis-cli --rdb -', filename: 'dump.rdb', program: 'redis-cli' },
};
const mysql: Discovery = {
  name: 'mysql',
  why: 'a MySQL or MariaDB server',
  protects: {
    kind: 'command',
    dump: 'mysqldump --all-databases --single-transaction',
    filename: 'all.sql',
    program: 'mysqldump',
  },
};
const mongodb: Discovery = {
  name: 'mongodb',
  why: 'a MongoDB server',
  protects: { kind: 'command', dump: 'mongodump --archive', filename: 'all.archive', program: 'mongodump' },
};

function configured(there: (path: string) => boolean): string {
  const seen = [there('etc/nginx') ? ['nginx'] : [], there('etc/crontab') ? ['cron'] : []].flat();
  return seen.length === 0
    ? 'configuration of this host'
    : `configuration of this host, ${seen.join(' and ')} among it`;
}

/** As it is called on this host; none where it is not there, not readable or empty. */
function folderOf(at: (path: string) => string, path: string): readonly string[] {
  try {
    return statSync(at(path)).isDirectory() && readdirSync(at(path)).length > 0 ? [`/${path}`] : [];
  } catch {
    return [];
  }
}

function files(name: string, why: string, paths: readonly string[]): readonly Discovery[] {
  return paths.length === 0 ? [] : [{ name, why, protects: { kind: 'files', paths } }];
}

/** What a policy has of the same: paths that it backs up, and dump commands. */
export interface Protected {
  readonly paths: readonly string[];
  readonly dumps: readonly string[];
}

/** Of what was discovered, what nothing protects. A folder is protected by one that it stands in. */
export function unprotected(found: readonly Discovery[], { paths, dumps }: Protected): readonly Discovery[] {
  const folders = paths.map((path) => path.replace(/\/+$/, ''));
  const covers = (path: string): boolean => folders.some((one) => path === one || path.startsWith(`${one}/`));
  return found.filter(({ protects }) =>
    protects.kind === 'files'
      ? !protects.paths.every(covers)
      : !dumps.some((dump) => splitWords(dump)[0]?.split('/').at(-1)?.startsWith(protects.program) === true),
  );
}
