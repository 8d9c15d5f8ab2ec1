import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { isFullBudget } from './budget.ts';
import { postgresClients, withoutPostgresClients } from './servers/postgres-clients.ts';
import { copiedPrograms, smallSegments } from './servers/postgres-program.ts';
import { withoutPostgres } from './servers/postgres.ts';
import { postgresMajors, startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import type { PostgresMajor } from './servers/postgres-versions.ts';
import { proveForVersion } from './support/postgres-matrix.ts';
import { shopScene } from './support/postgres-scene.ts';
import { tempDir } from './support/temp-dir.ts';

const majors = isFullBudget ? postgresMajors : (['15'] as const);
const skip = withoutPostgresVersions() || withoutPostgres() || (isFullBudget && withoutPostgresClients());

const tables = `
  create type mood as enum ('glad', 'sad');
  create table customers (id int primary key);
  create table orders (
    id bigserial primary key, how mood, customer int constraint of_customer references customers, what text unique);
  insert into customers select generate_series(1, 5);
  insert into orders (how, customer, what) select 'glad', 1 + n % 5, 'x' || n from generate_series(1, 1000) n;
  create schema books; create table books.pages (id int primary key, text text);
  insert into books.pages select n, 'p' || n from generate_series(1, 50) n`;

const content = "select count(*) || ' ' || md5(string_agg(o::text, chr(10) order by id)) from orders o";

for (const major of majors)
  test(
    `PostgreSQL ${major}: one table comes out of a dump after it was dropped, a schema beside the living one`,
    { skip },
    async (context) => {
      await takenOutOfDump(major);
      const claim = 'a dump is verified and loaded, and one table and one schema come out of it';
      proveForVersion(context, major, { claim, column: 'one table of a dump', count: '1 dump' });
    },
  );

async function takenOutOfDump(major: PostgresMajor): Promise<void> {
  await using server = await startPostgresVersion({
    major,
    initdb: smallSegments,
    databases: 'all',
    settings: ['autovacuum=off'],
  });
  await using dir = await tempDir();
  await server.sql('create role clerk');
  for (const name of ['shop', 'second']) await server.sql(`create database ${name}`);
  await server.sql(`${tables}; alter table orders owner to clerk`, 'shop');
  const at = (database: string): string => server.url.replace(/postgres$/, database);
  const programs = [await copiedPrograms(major, dir.path), await postgresClients(major)];
  const options = `logical: { databases: [shop, second] }, programs: [${programs.join(', ')}]`;
  const more = '    log: { mode: archive, to: { near: { window: 14d } } }\n    verify: [{ every: 1d, do: restore }]\n';
  const scene = await shopScene(dir.path, at('shop'), { method: 'logical', options, more });
  await scene.ok('backup', 'shop-db');
  const [then = ''] = await server.sql(content, 'shop');
  if (isFullBudget) {
    const { code, all } = await scene.verified('shop-db');
    assert.equal(code, 0, JSON.stringify(all));
    await scene.ok('restore', 'shop-db', '--database', 'shop', '--into', at('shop_new'));
    assert.deepEqual(await server.sql(content, 'shop_new'), [then]);
  }
  await server.sql('drop table orders; delete from customers where id = 3', 'shop');

  const now = new Temporal.Instant(systemClock.nowNs()).round('second').add({ seconds: 1 });
  const into = ['--into', at('shop')] as const;
  const orders = ['restore', 'shop-db', '--method', 'logical', '--table', 'public.orders', ...into] as const;
  const { code, stdout, stderr } = await scene.run(...orders, '--at', now.toString());
  const said = stdout.toString();
  assert.equal(code, 3, `${said}\n${stderr}`);
  assert.match(said, /loaded public\.orders: 1000 rows, as many as at the moment/);
  assert.match(said, /left out: the foreign key of_customer of .*\(customer\)=\(3\)/);
  assert.deepEqual(await server.sql(content, 'shop'), [then]);
  const owner = "select relowner::regrole from pg_class where relname = 'orders'";
  assert.deepEqual(await server.sql(owner, 'shop'), ['clerk']);
  assert.deepEqual(await server.sql("insert into orders (what) values ('new') returning id", 'shop'), ['1001']);

  const books = ['restore', 'shop-db', '--schema', 'books', '--as', 'books_then', ...into] as const;
  assert.match(await scene.ok(...books), /loaded books_then\.pages: 50 rows, as many as at the moment/);

  const refusals = [
    [[...orders, '--latest'], 2, /by the method logical: a log brings none of its points to a moment/],
    [[...orders, '--as', 'a', '--database', 'gone'], 1, /holds no database gone; it holds second, shop/],
    // For this one a sandbox is brought up, as for one table of a moment.
    [orders, 1, /public\.orders is there already[^]*--as orders_restored/],
  ] as const;
  for (const [words, exit, wanted] of refusals.slice(0, isFullBudget ? 3 : 2)) {
    const refused = await scene.run(...words);
    assert.deepEqual([refused.code, wanted.test(refused.stderr)], [exit, true], refused.stderr);
  }
}
