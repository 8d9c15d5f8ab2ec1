import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { test } from 'node:test';
import { isFullBudget } from './budget.ts';
import { postgresClients, withoutPostgresClients } from './servers/postgres-clients.ts';
import { withoutPostgres } from './servers/postgres.ts';
import { copiedPrograms, postgresMajors, smallSegments, type PostgresMajor } from './servers/postgres-program.ts';
import { startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import { shopSettings, storeLog } from './support/moment-scene.ts';
import { proveForVersion } from './support/postgres-matrix.ts';
import { shopScene } from './support/postgres-scene.ts';
import { tempDir } from './support/temp-dir.ts';

const majors = isFullBudget ? postgresMajors : (['15'] as const);
const skip = withoutPostgresVersions() || withoutPostgres() || (isFullBudget && withoutPostgresClients());

const tables = `
  create type mood as enum ('glad', 'sad');
  create table customers (id int primary key, name text);
  create table "Order Items" (
    id bigserial primary key, "a ""quoted"" one" mood, customer int constraint of_customer references customers,
    what text check (what <> ''), unique (what));
  insert into customers select n, 'c' || n from generate_series(1, 5) n;
  insert into "Order Items" ("a ""quoted"" one", customer, what)
    select 'glad', 1 + n % 5, 'x' || n from generate_series(1, 1000) n;
  create table waiting (item bigint references "Order Items");
  create role author; create schema books authorization author;
  create table books.pages (id int generated always as identity primary key, text text);
  insert into books.pages (text) select 'p' || n from generate_series(1, 50) n;
  create function books.twice(n int) returns int language sql return 2 * n;
  create view books.odd as select books.twice(id) from books.pages where id % 2 = 1`;

const content = (table: string): string =>
  `select count(*) || ' ' || md5(string_agg(t::text, chr(10) order by id)) from ${table} t`;

for (const major of majors)
  test(
    `PostgreSQL ${major}: a table of a moment comes back after it was dropped, a schema beside the living one`,
    { skip },
    async (context) => {
      await takenBack(major);
      const claim = 'one table of a moment comes back after it was dropped, and a schema beside the living one';
      proveForVersion(context, major, { claim, column: 'one table of a moment', count: '1 moment' });
    },
  );

async function takenBack(major: PostgresMajor): Promise<void> {
  await using dir = await tempDir();
  await chmod(dir.path, 0o755);
  await using server = await startPostgresVersion({ major, initdb: smallSegments, settings: shopSettings });
  await server.sql(tables);
  const { url } = server;
  const more = '    log: { mode: archive, to: { near: { window: 14d } } }';
  const programs = [await copiedPrograms(major, dir.path), await postgresClients(major)];
  const scene = await shopScene(dir.path, url, { options: `programs: [${programs.join(', ')}]`, more });
  await scene.ok('backup', 'shop-db');
  await server.sql(`insert into "Order Items" (what) values ('after the backup')`);
  const [then = ''] = await server.sql(content('"Order Items"'));
  const [at = ''] = await server.sql('select pg_current_wal_insert_lsn()');
  await server.sql('drop table "Order Items" cascade; delete from customers where id = 3');
  await storeLog({ scene, shop: server });

  const taking = ['restore', 'shop-db', '--lsn', at, '--exclusive', '--into', url, '--table', '"Order Items"'] as const;
  const { code, stdout, stderr } = await scene.run(...taking);
  const said = stdout.toString();
  assert.equal(code, 3, `${said}\n${stderr}`);
  assert.equal(stderr.match(/the role of --into is a superuser/g)?.length, 1, stderr);
  assert.deepEqual(await server.sql(content('"Order Items"')), [then]);
  assert.match(said, /loaded public\."Order Items": 1001 rows, as many as at the moment/);
  assert.match(said, /public\.waiting refers to it by the foreign key waiting_item_fkey, which is that table’s/);
  assert.match(said, /left out: the foreign key of_customer of .*\(customer\)=\(3\).*; to put it on: alter table/);
  const next = `insert into "Order Items" (what) values ('new') returning id`;
  const [id = ''] = await server.sql(next);
  assert.ok(Number(id) > 1001 && Number(id) <= 1034, `a server that replays skips at most 32 numbers: ${id}`);
  const again = await scene.run(...taking);
  assert.deepEqual([again.code, again.stdout.toString().includes('rows')], [1, false]);
  assert.match(again.stderr, /public\."Order Items" is there already[^]*--as '"Order Items_restored"'/);

  await server.sql("update books.pages set text = 'wrong'");
  const schema = ['restore', 'shop-db', '--schema', 'books', '--as', 'books_then', '--into', url] as const;
  await server.sql('alter schema books owner to postgres; drop role author');
  const lacking = await scene.run(...schema, '--dry-run');
  assert.match(lacking.stderr, /lacks roles that own something or were granted something: author[^]*--no-owner/);
  if (isFullBudget) {
    const dry = await scene.ok(...schema, '--no-owner', '--dry-run');
    assert.match(dry, /books\.pages as books_then\.pages: 50 rows\nnothing was loaded/);
  }
  const lines = (await scene.ok(...schema, '--no-owner', '--json')).trim().split('\n');
  const page = { name: 'books.pages', as: 'books_then.pages', rows: 50 };
  for (const [type, wanted] of [
    ['parts', page],
    ['loaded', { ...page, loaded_rows: 50 }],
  ] as const) {
    const line = lines.find((one) => one.includes(`"message_type":"${type}"`)) ?? '';
    assert.ok(line.includes(`"tables":${JSON.stringify([wanted])}`), line);
  }
  const found = `select count(*), min(text), (select count(*) from books_then.odd) from books_then.pages`;
  assert.deepEqual(await server.sql(found), ['50|p1|25']);
  const records = (await scene.ok('records', '--kind', 'restore', '--json')).trim().split('\n').toReversed();
  assert.match(records[0] ?? '', /"outcome":"done".*"rows":50/);
}
