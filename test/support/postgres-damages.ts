import { appendFile, chmod, copyFile, cp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Verdict } from '../../src/job/verify/judge.ts';
import type { PostgresServer } from '../servers/postgres-versions.ts';

/** Where what a damage is done to stands in a copy that was restored. */
export interface Place {
  readonly restored: string;
  readonly data: string;
  readonly files: Files;
}

export interface Damage {
  readonly what: string;
  /** 'failed' where it isn't said. */
  readonly outcome?: Exclude<Verdict['state'], 'verified'>;
  /** It is done to a database that initdb makes beside postgres. */
  readonly needs?: 'all databases';
  readonly inflict: (place: Place) => Promise<void>;
}

const relations = {
  'a table': "pg_relation_filepath('orders')",
  'a table in a tablespace': "pg_relation_filepath('far')",
  'an index': "pg_relation_filepath('orders_pkey')",
  'what stands beside a table': "pg_relation_filepath((select reltoastrelid from pg_class where relname = 'orders'))",
  'the index of what stands beside a table':
    "pg_relation_filepath((select indexrelid from pg_index join pg_class on reltoastrelid = indrelid where relname = 'orders'))",
  'a sequence': "pg_relation_filepath('numbers')",
  'a materialised view': "pg_relation_filepath('sums')",
  'the catalogue': "pg_relation_filepath('pg_class')",
  'an index of the catalogue': "pg_relation_filepath('pg_class_oid_index')",
  'the list of databases': "pg_relation_filepath('pg_database')",
} as const;

type Relation = keyof typeof relations;
type Files = Readonly<Record<Relation, string>>;

/** Fills a cluster with what is to be damaged, and tells where it stands. `space` is an empty folder of the server's. */
export async function fillForDamage(server: PostgresServer, space: string): Promise<Files> {
  for (const statement of [
    'create table orders (id int primary key, what text)',
    'alter table orders alter what set storage external',
    `insert into orders select n, repeat('x', 3000) from generate_series(1, 1000) n`,
    'create sequence numbers',
    'create materialized view sums as select id, id * 2 as twice from orders',
    'create unique index on sums (id)',
    `create tablespace elsewhere location '${space}'`,
    'create table far tablespace elsewhere as select n as id from generate_series(1, 1000) n',
    'create index on far (id)',
    'create table odd as select n as id from generate_series(1, 1000) n',
    'vacuum analyze',
    'checkpoint',
  ])
    await server.sql(statement);
  const names = Object.keys(relations) as readonly Relation[];
  const [paths = ''] = await server.sql(`select ${names.map((name) => relations[name]).join(', ')}`);
  const found = paths.split('|');
  return Object.fromEntries(names.map((name, at) => [name, found[at] ?? ''])) as Files;
}

type Change = (path: string) => Promise<void>;

const pageBytes = 8192;

async function changeBytes(path: string, change: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(path);
  change(bytes);
  await writeFile(path, bytes);
}

function flip(bytes: Buffer, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
}

const isGone: Change = async (path) => await rm(path);
const isEmpty: Change = async (path) => await truncate(path, 0);
const hasAnotherByte: Change = async (path) =>
  await changeBytes(path, (bytes) => flip(bytes, bytes.length - pageBytes + 5000));
const isCut: Change = async (path) => {
  const { length } = await readFile(path);
  await truncate(path, Math.floor(length / pageBytes / 2) * pageBytes);
};
const isTorn: Change = async (path) => {
  const { length } = await readFile(path);
  await truncate(path, length - 1000);
};
const hasPagesSwapped: Change = async (path) =>
  await changeBytes(path, (bytes) => {
    const first = Buffer.from(bytes.subarray(0, pageBytes));
    bytes.copyWithin(0, bytes.length - pageBytes, bytes.length);
    first.copy(bytes, bytes.length - pageBytes);
  });
const hasPageOfZeros: Change = async (path) => await changeBytes(path, (bytes) => bytes.fill(0, 0, pageBytes));
const isOfZeros: Change = async (path) => await changeBytes(path, (bytes) => bytes.fill(0));

function of(name: Relation, how: string, change: Change): Damage {
  return { what: `${name} ${how}`, inflict: async ({ data, files }) => await change(join(data, files[name])) };
}

function ofFile(path: string, how: string, change: Change): Damage {
  return { what: `${path} ${how}`, inflict: async ({ data }) => await change(join(data, path)) };
}

/** What production may have had on its own disk already, so that the manifest agrees; and so may any copy of it. */
export const ofRelations: readonly Damage[] = [
  of('a table', 'is gone', isGone),
  of('a table', 'is empty', isEmpty),
  of('a table', 'is cut', isCut),
  of('a table', 'is torn', isTorn),
  of('a table', 'has another byte', hasAnotherByte),
  of('a table', 'has pages swapped', hasPagesSwapped),
  of('a table', 'has a page of zeros', hasPageOfZeros),
  of('a table in a tablespace', 'is gone', isGone),
  of('a table in a tablespace', 'is cut', isCut),
  of('an index', 'is gone', isGone),
  of('an index', 'is empty', isEmpty),
  of('an index', 'is cut', isCut),
  of('an index', 'has another byte', hasAnotherByte),
  of('an index', 'is of zeros', isOfZeros),
  of('what stands beside a table', 'is gone', isGone),
  of('what stands beside a table', 'is empty', isEmpty),
  of('what stands beside a table', 'is cut', isCut),
  of('what stands beside a table', 'has another byte', hasAnotherByte),
  of('the index of what stands beside a table', 'is gone', isGone),
  of('the index of what stands beside a table', 'is of zeros', isOfZeros),
  of('a sequence', 'is gone', isGone),
  of('a sequence', 'is empty', isEmpty),
  of('a sequence', 'has another byte', hasAnotherByte),
  of('a materialised view', 'is empty', isEmpty),
  of('a materialised view', 'has pages swapped', hasPagesSwapped),
  of('the catalogue', 'is gone', isGone),
  of('the catalogue', 'is cut', isCut),
  of('the catalogue', 'has another byte', hasAnotherByte),
  of('an index of the catalogue', 'is of zeros', isOfZeros),
  of('an index of the catalogue', 'has another byte', hasAnotherByte),
  of('the list of databases', 'is empty', isEmpty),
  of('the list of databases', 'has another byte', hasAnotherByte),
];

const newestSegment = async ({ data }: Place): Promise<string> => {
  const names = (await readdir(join(data, 'pg_wal'))).filter((name) => /^[0-9A-F]{24}$/.test(name)).toSorted();
  return join(data, 'pg_wal', names.at(-1) ?? '');
};

function ofLog(how: string, change: Change): Damage {
  return { what: `the log ${how}`, inflict: async (place) => await change(await newestSegment(place)) };
}

function added(name: string): Damage {
  return { what: `${name} is there`, inflict: async ({ data }) => await writeFile(join(data, name), '') };
}

function described(how: string, change: (text: string) => string): Damage {
  return {
    what: `postgres.json ${how}`,
    inflict: async ({ restored }) => {
      const path = join(restored, 'shop-db/postgres.json');
      await writeFile(path, change(await readFile(path, 'utf8')));
    },
  };
}

/** What else of a snapshot can be wrong. */
export const ofSnapshots: readonly Damage[] = [
  ofFile('global/pg_control', 'is gone', isGone),
  ofFile('global/pg_control', 'is empty', isEmpty),
  ofFile('global/pg_control', 'has another byte', async (path) => await changeBytes(path, (bytes) => flip(bytes, 40))),
  ofFile('global/pg_control', 'is of zeros', isOfZeros),
  ofFile('global/pg_filenode.map', 'is gone', isGone),
  ofFile('global/pg_filenode.map', 'is of zeros', isOfZeros),
  ofFile('PG_VERSION', 'is gone', isGone),
  ofFile('PG_VERSION', 'is of another major', async (path) => await writeFile(path, '13\n')),
  ofFile('backup_label', 'is gone', isGone),
  ofFile('backup_label', 'begins elsewhere', async (path) => {
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(/^(START WAL LOCATION: )\S+/, '$10/1000028'));
  }),
  ofFile('pg_xact', 'is gone', async (path) => await rm(path, { recursive: true })),
  ofFile('pg_xact/0000', 'is of zeros', isOfZeros),
  ofFile('pg_multixact/offsets', 'is gone', async (path) => await rm(path, { recursive: true })),
  ofFile('base/5', 'is gone', async (path) => await rm(path, { recursive: true })),
  { ...ofFile('base/1', 'is gone', async (path) => await rm(path, { recursive: true })), needs: 'all databases' },
  ofFile('pg_tblspc', 'is empty', async (path) => {
    for (const name of await readdir(path)) await rm(join(path, name), { recursive: true });
  }),
  ofFile('backup_manifest', 'is gone', isGone),
  ofFile('backup_manifest', 'is cut', async (path) => await truncate(path, 5000)),
  ofFile('backup_manifest', 'has another byte', async (path) => await changeBytes(path, (bytes) => flip(bytes, 900))),
  ofFile('backup_manifest', 'goes on', async (path) => await appendFile(path, 'more\n')),
  ofLog('is gone', isGone),
  ofLog('is cut', isCut),
  ofLog('is of zeros', isOfZeros),
  added('standby.signal'),
  added('recovery.signal'),
  added('base/5/99999'),
  {
    what: 'postgres.json is gone',
    outcome: 'could not verify',
    inflict: async ({ restored }) => await rm(join(restored, 'shop-db/postgres.json')),
  },
  described('is empty', () => ''),
  described('is cut', (text) => text.slice(0, 200)),
  described('names another start', (text) => text.replace(/"startLsn": "[^"]+"/, '"startLsn": "0/1000028"')),
  described('names a later end', (text) => text.replace(/"endLsn": "[^"]+"/, '"endLsn": "7/5000028"')),
  described('names another cluster', (text) => text.replace(/"systemIdentifier": "\d/, '"systemIdentifier": "9')),
  described('names another major', (text) => text.replace('"major": 17', '"major": 16')),
  {
    what: 'files of two tables are swapped',
    inflict: async ({ data, files }) => {
      const [one, other] = [join(data, files['a table']), join(data, files['a materialised view'])];
      await rename(one, `${one}-`);
      await copyFile(other, one);
      await rename(`${one}-`, other);
    },
  },
  {
    what: 'the data directory is another’s',
    needs: 'all databases',
    inflict: async ({ data }) => {
      await rm(join(data, 'base/5'), { recursive: true });
      await cp(join(data, 'base/4'), join(data, 'base/5'), { recursive: true });
      await chmod(join(data, 'base/5'), 0o755);
    },
  },
];
