import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { splitWords } from '../../secret/words.ts';
import type { LookedAt, Sighting } from '../discover.ts';

/** Databases whose files stand at usual places, each with a command that dumps it. */
export function sightedDatabases({ root }: LookedAt): readonly Sighting[] {
  return databases.flatMap(({ places, ...sighting }) =>
    places.some((path) => existsSync(join(root, path))) ? [sighting] : [],
  );
}

export function dumpsProtect(dumps: readonly string[], { dumpedBy }: Sighting): boolean {
  if (dumpedBy === undefined) return false;
  return dumps.some((dump) => splitWords(dump)[0]?.split('/').at(-1)?.startsWith(dumpedBy) === true);
}

const remark = 'Whoever runs this needs the right to read all of it.';

const databases: readonly (Sighting & { readonly places: readonly string[] })[] = [
  {
    ...{ name: 'postgres', why: 'a PostgreSQL server', remark, paths: [], dumpedBy: 'pg_dump' },
    options: { dump: 'pg_dumpall', filename: 'all.sql' },
    places: ['var/lib/postgresql', 'var/run/postgresql'],
  },
  {
    ...{ name: 'redis', why: 'a Redis server', remark, paths: [], dumpedBy: 'redis-cli' },
    options: { dump: 'redis-cli --rdb -', filename: 'dump.rdb' },
    places: ['var/lib/redis', 'etc/redis/redis.conf'],
  },
  {
    ...{ name: 'mysql', why: 'a MySQL or MariaDB server', remark, paths: [], dumpedBy: 'mysqldump' },
    options: { dump: 'mysqldump --all-databases --single-transaction', filename: 'all.sql' },
    places: ['var/lib/mysql'],
  },
  {
    ...{ name: 'mongodb', why: 'a MongoDB server', remark, paths: [], dumpedBy: 'mongodump' },
    options: { dump: 'mongodump --archive', filename: 'all.archive' },
    places: ['var/lib/mongodb', 'var/lib/mongo'],
  },
];
