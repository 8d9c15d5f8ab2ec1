import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { isFullBudget } from './budget.ts';
import { systemClock } from '../src/clock/clock.ts';
import { readHeartbeat } from '../src/source/postgres/proof/heartbeat.ts';
import { answer } from '../src/source/postgres/proof/questions.ts';
import { toBeCounted } from '../src/source/postgres/row-counts.ts';
import { postgresPrograms, smallSegments } from './servers/postgres-program.ts';
import { startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import type { PostgresMajor, PostgresServer } from './servers/postgres-versions.ts';
import { testAtMajors } from './support/at-majors.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { pageChecksum } from './support/page-checksum.ts';
import {
  agree,
  rehearse,
  broughtUp,
  restoredFrom,
  restoredOf,
  type Restored,
  type Up,
} from './support/postgres-rehearsing.ts';
import { shopScene } from './support/postgres-scene.ts';
import { once, shared } from './support/shared.ts';
import { tempDir } from './support/temp-dir.ts';
import type { Scene } from './support/verifying.ts';

const skip = withoutPostgresVersions() || withoutRestic('0.19.1');
const major = '15';

/** `in books: ` names another database. */
const shop = [
  'create database books template postgres',
  "in books: create table papers as select n as id, repeat('abc', 5000) as text from generate_series(1, 20) n",
  'in books: create table others as select 1 as id',
  'in books: create table invoices as select generate_series(1, 2) as id',
  'create table customers (id int, name text)',
  "insert into customers values (1, 'ann'), (2, 'bob'), (null, 'nobody')",
  'create table orders (id int primary key, customer_id int, "Who" int)',
  'insert into orders values (1, 1, 1), (2, 2, 2), (3, 3, 1), (4, 4, 2), (5, null, null)',
  'create unlogged table passing as select 1 as id',
  'create table counted as select n as id from generate_series(1, 1000) n',
  'create table hidden as select 1 as id',
  'create table small as select 1 as id',
  'create table large as select n as id from generate_series(1, 1000) n',
  'create role backup login replication',
  'grant pg_read_all_settings to backup; grant create on schema public to backup',
  ...['', 'in books: '].map((where) => `${where}grant select on all tables in schema public to backup`),
  'revoke select on hidden from backup',
  ...['postgres', 'backup'].map((role) => `alter role ${role} set datestyle = 'German'`),
  "alter role postgres set timezone = 'Asia/Kolkata'",
] as const;

const shopOf = shared(async (major: PostgresMajor): Promise<PostgresServer> => {
  const server = await startPostgresVersion({ major, initdb: smallSegments, settings: ['autovacuum=off'] });
  for (const statement of shop) {
    const [, database = 'postgres', sql = ''] = /^(?:in (\w+): )?([^]*)$/.exec(statement) ?? [];
    await server.sql(sql, database);
  }
  return server;
});

const urlOf = ({ url }: PostgresServer, role: string): string => url.replace('postgres@', `${role}@`);

interface BackedUp extends AsyncDisposable {
  readonly scene: Scene;
  /** Newest of `holdfast_heartbeat` in production, in seconds since 1970. */
  readonly beatAt: number;
}

type State = 'passed' | 'failed' | 'not run';

const bySql: readonly (readonly [sql: string, expected: string, State])[] = [
  ['select count(*) from orders', 'equals: 5', 'passed'],
  ['select count(*) from orders', 'equals: 6', 'failed'],
  ['select count(*) from orders', 'at-least: 5', 'passed'],
  ['select count(*) from orders', 'at-least: 6', 'failed'],
  ['select count(*) from orders', 'at-most: 5', 'passed'],
  ['select count(*) from orders', 'at-most: 4', 'failed'],
  ['select avg(id) from orders', 'between: [2.5, 3.5]', 'passed'],
  ['select avg(id) from orders', 'between: [0, 2]', 'failed'],
  ['select name from customers where id = 1', 'equals: ann', 'passed'],
  ['select now()', 'within: 1h', 'passed'],
  ['select now()::text', 'within: 1h', 'passed'],
  [
    "select to_char(now() at time zone 'UTC', 'YYYY-MM-DD') || 'T' || to_char(now() at time zone 'UTC', 'HH24:MI:SS') || 'Z'",
    'within: 1h',
    'passed',
  ],
  ['select extract(epoch from now())', 'within: 1h', 'passed'],
  ["select now() - interval '2 hours'", 'within: 1h', 'failed'],
  ["select now() + interval '2 hours'", 'within: 1h', 'not run'],
  ['select now()::timestamp', 'within: 1h', 'not run'],
  ["select 'infinity'::timestamptz", 'within: 1h', 'not run'],
  ['select max(id) from orders where id > 99', 'at-least: 0', 'failed'],
  ['select max(now()) from orders where id > 99', 'within: 1h', 'failed'],
  ['select id from orders where id > 99', 'at-least: 0', 'failed'],
  ['select id from orders order by id', 'at-least: 0', 'not run'],
  ['select 1, 2', 'equals: 1', 'not run'],
  ['select 1 / (id - 1) from orders where id = 1', 'at-least: 0', 'failed'],
  ['select count(*) from gone', 'at-least: 0', 'failed'],
  ['selec 1', 'at-least: 0', 'not run'],
];

const others: readonly (readonly [check: string, State])[] = [
  ['orphans: { table: orders, column: customer_id, references: customers.id }', 'failed'],
  ['orphans: { table: public.orders, column: customer_id, references: public.customers.id }, at-most: 2', 'passed'],
  ['orphans: { table: ORDERS, column: \'"Who"\', references: customers.id }', 'passed'],
  ['orphans: { table: orders, column: customer_id, references: id }', 'not run'],
  ['orphans: { table: "orders; drop table orders", column: id, references: customers.id }', 'not run'],
  ['orphans: { table: gone, column: id, references: customers.id }', 'failed'],
  ['database: books, sql: "select count(*) from invoices", equals: 2', 'passed'],
  ['database: nowhere, sql: "select 1", equals: 1', 'failed'],
  ['counts: { tolerance: "0%" }', 'passed'],
  ['database: books, counts: {}', 'passed'],
  ['database: nowhere, counts: {}', 'not run'],
];

const asked = [
  ...bySql.map(([sql, expected, state]) => [`sql: ${JSON.stringify(sql)}, ${expected}`, state] as const),
  ...others,
];

/** Backed up by a role that may not read all, with what is counted, a heartbeat, and the checks above. */
const backedUp = shared(async (major: PostgresMajor): Promise<BackedUp> => {
  const server = await shopOf(major);
  const dir = await tempDir();
  const checks = asked.map(([check], at) => `{ name: check ${at}, ${check} }`).join(', ');
  const options = `programs: [${await postgresPrograms(major)}], counts: { for: 30 }, heartbeat: holdfast_heartbeat`;
  const more = `    verify: [{ every: 1d, checks: [${checks}] }]\n`;
  const scene = await shopScene(dir.path, urlOf(server, 'backup'), { options, more });
  await scene.ok('backup', 'shop-db');
  const [written] = await server.sql('select extract(epoch from at)::bigint from holdfast_heartbeat');
  return { scene, beatAt: Number(written), [Symbol.asyncDispose]: dir[Symbol.asyncDispose] };
});

const restoredShop = shared(
  async (major: PostgresMajor): Promise<Restored> => await restoredFrom((await backedUp(major)).scene, await tempDir()),
);

/** And between which seconds since 1970 it was. */
const verified = once(async (major: PostgresMajor) => {
  const { scene } = await backedUp(major);
  const begun = Date.now() / 1000;
  return { ...(await scene.verified('shop-db')), begun, ended: Date.now() / 1000 };
});

test('what a policy asks of a cluster passes, fails or does not run, as the answer is', { skip }, async () => {
  const { all } = await verified(major);
  const found = all.flatMap(({ checks: results = [] }) => results);
  for (const [at, [check, state]] of asked.entries()) {
    const result = found.find(({ name }) => name === `check ${at}`);
    assert.equal(result?.state, state, `${check}: ${JSON.stringify(result)} ${all[0]?.reason}`);
  }
  const counts = found.find(({ name }) => name === `check ${asked.length - 3}`);
  assert.match(
    counts?.found ?? '',
    /9 tables, as counted; .*public\.passing of postgres was not counted: it is unlogged/,
  );
});

interface Sound extends Up {
  /** What the snapshot tells of itself. */
  readonly text: string;
}

const heartbeatOf = / {2}"heartbeat": [^]*?\},\n/g;

/** A copy of what was restored, as if no heartbeat had been written. */
const soundCopy = shared(async (major: PostgresMajor): Promise<Sound> => {
  const copy = await (await restoredShop(major)).copy();
  const path = join(copy, 'shop-db/postgres.json');
  const text = await readFile(path, 'utf8');
  assert.match(text, heartbeatOf);
  await writeFile(path, text.replaceAll(heartbeatOf, ''));
  return { text, ...(await broughtUp(copy, { major, limits: { timeMs: 10 * 60_000 } })) };
});

test('rows are held against those that were counted at the backup, within a tolerance', { skip }, async () => {
  const { text, asTold } = await soundCopy(major);
  const answered = async (told: string, tolerance = 0): Promise<string> =>
    JSON.stringify(await answer(asTold(told), { kind: 'counts', tolerance, database: undefined }));
  assert.match(await answered(text), /passed.*hidden of postgres was not counted: .*permission denied/);
  const more = text.replace('"rows": "1000"', '"rows": "1010"');
  assert.match(await answered(more), /failed.*public\.counted of postgres has 1000 rows, and had 1010/);
  assert.match(await answered(more, 1), /passed/);
  assert.match(
    await answered(text.replace('public.counted', 'public.gone')),
    /failed.*public\.gone of postgres has no rows/,
  );
  assert.match(await answered(text.replaceAll(/"counts": [^]*?\},\n {2}"cap/g, '"cap')), /lacking.*recorded no counts/);
});

testAtMajors(
  'a heartbeat that a backup writes tells how old the data of its copy is',
  { sample: '15', skip },
  async (major) => {
    const { all, begun, ended } = await verified(major);
    const { beatAt } = await backedUp(major);
    const heartbeat = all.flatMap(({ checks = [] }) => checks).find(({ name }) => name === 'heartbeat');
    const found = heartbeat?.found ?? '';
    assert.equal(heartbeat?.state, 'passed', found);
    const [, at = '', seconds = ''] =
      /^(\S+) at \S+: what came in the (\d+) s since would be lost now$/.exec(found) ?? [];
    assert.ok(Math.abs(Date.parse(at) / 1000 - beatAt) <= 1, found);
    const lookedAt = beatAt + Number(seconds);
    assert.ok(lookedAt >= begun - 2 && lookedAt <= ended + 2, found);

    const { text, asTold, rehearsed } = await soundCopy(major);
    const later = asTold(text.replace(/"at": "\d{4}/, '"at": "2999'));
    const written = later.description.heartbeat ?? assert.fail();
    const read = await readHeartbeat(later, written, { component: 'shop-db', clock: systemClock });
    assert.equal(read.state, 'failed', read.found);
    const { checks } = await rehearsed({ of: 'sample' });
    assert.ok(checks.length > 3 && checks.every(({ name }) => name !== 'heartbeat'), 'none was written');
  },
);

testAtMajors(
  'a heartbeat that can’t be written is told, and the backup stands',
  { sample: '15', skip },
  async (major) => {
    const server = await shopOf(major);
    await server.sql('create role guest login replication; grant pg_read_all_settings to guest');
    await server.sql('revoke create on schema public from public'); // as it is from 15 on
    await using dir = await tempDir();
    const scene = await shopScene(dir.path, urlOf(server, 'guest'), { options: 'heartbeat: beats' });
    const { code, stderr } = await scene.run('backup', 'shop-db');
    assert.equal(code, 3, stderr);
    assert.match(stderr, /no heartbeat was written to beats: .*permission denied/);
  },
);

test('counting ends with its time, waits for no lock, and tells what it did not come to', { skip }, async () => {
  const server = await shopOf(major);
  const locked = new pg.Client({ connectionString: server.url });
  locked.on('error', () => undefined); // its server ends before it
  await locked.connect();
  await locked.query('begin; lock table large in access exclusive mode');
  await using dir = await tempDir();
  const scene = await shopScene(dir.path, server.url, {
    options: 'counts: { for: 20, tables: [large, public.small] }',
  });
  await scene.run('backup', 'shop-db');
  const counting = { url: server.url, clock: systemClock, signal: new AbortController().signal, tables: undefined };
  const count = await toBeCounted({ ...counting, forMs: 0 });
  const over = 'the time for counting was over';
  const { counted, uncounted } = await count();
  assert.deepEqual(counted, []);
  const mine = uncounted.filter(({ table }) => ['public.large', 'public.small'].includes(table));
  assert.deepEqual(
    mine.map(({ table, reason }) => [table, reason]),
    [
      ['public.large', over],
      ['public.small', over],
    ],
  );
  await locked.end();
  const at = { repository: scene.file('near'), password: 'secret' };
  const text = await resticOk('0.19.1', at, ['dump', 'latest', '/shop-db/postgres.json']);
  assert.match(text, /"table": "public\.small",\s+"rows": "1"/);
  assert.match(text, /"table": "public\.large",\s+"reason": "somebody had it locked"/);
});

/** Writes zeros over the last values of a relation's first page, which holds its checksum again. */
async function spoil(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes.fill(0, 8192 - 60, 8192);
  bytes.writeUInt16LE(pageChecksum(bytes.subarray(0, 8192), 0), 8);
  await writeFile(path, bytes);
}

test('a sample of tables is decoded in full: what can be counted and not read has failed', { skip }, async () => {
  const first = { of: 'sample', tables: 1, random: () => 0 } as const;
  const sound = await (await soundCopy(major)).rehearsed({ ...first, tables: 99 });
  assert.equal(sound.state, 'verified', JSON.stringify(sound.checks));
  assert.match(sound.checks.at(-1)?.found ?? '', /from (\d+) tables of \1: .*public\.papers of books/);
  const copy = await (await restoredShop(major)).copy();
  const [path = ''] = await (await shopOf(major)).sql("select pg_relation_filepath('papers')", 'books');
  await spoil(join(copy, 'shop-db/data', path));
  await agree(join(copy, 'shop-db/data'));
  await using up = await broughtUp(copy, { major });
  assert.equal((await up.rehearsed({})).state, 'verified', 'counting sees nothing of it');
  const drawn = await up.rehearsed(first);
  assert.match(drawn.checks.at(-1)?.found ?? '', /invoices of books/, 'only what is drawn is read');
  const { state, reason } = await up.rehearsed({ tables: 99 });
  assert.equal(state, 'failed');
  assert.match(reason ?? '', /sample: .*compressed pglz data is corrupt/);
});

if (isFullBudget)
  test('a row that is too large to be written as text accuses nobody', { skip }, async () => {
    await using server = await startPostgresVersion({ major, initdb: smallSegments, settings: ['autovacuum=off'] });
    await server.sql('create table large (one text, other text)');
    // One after the other: a row of both can't be written at once.
    await server.sql("insert into large values (repeat('x', 600000000))");
    await server.sql("update large set other = repeat('y', 600000000)");
    await using restored = await restoredOf(server);
    const { state, reason } = await rehearse(await restored.copy(), { major, depth: { of: 'sample', tables: 1 } });
    assert.equal(state, 'could not verify');
    // Where the sandbox has less memory than the row takes, its server ends first.
    assert.match(
      reason ?? '',
      /public\.large of postgres has a row that is too large|sample: not run, .*Connection terminated/,
    );
  });
