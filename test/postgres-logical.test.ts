import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { withoutPostgres } from './servers/postgres.ts';
import { startPostgresVersion, withoutPostgresVersions, type PostgresServer } from './servers/postgres-versions.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { shopScene } from './support/postgres-scene.ts';
import { runOk } from './support/run-program.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutPostgresVersions() || withoutPostgres() || withoutRestic('0.19.1');

const content = 'select count(*), md5(string_agg(id || what, chr(10) order by id)) from orders';
const settings = `select unnest(setconfig) from pg_db_role_setting join pg_database d on setdatabase = d.oid
  where datname = current_database() order by 1`;

async function startShop(): Promise<PostgresServer> {
  const server = await startPostgresVersion({ major: '15', settings: ['autovacuum=off'] });
  await server.sql("create role clerk login password 'kanarienvogel'");
  await server.sql('create database shop owner clerk');
  await server.sql('create database second');
  await server.sql("alter database shop set search_path = shop, public; alter database shop set work_mem = '5MB'");
  await server.sql(
    `create table orders as select n as id, repeat(md5(n::text), 10) as what from generate_series(1, 20000) n;
    alter table orders owner to clerk; create index on orders (id); create table "Käse" as select 1 as id`,
    'shop',
  );
  return server;
}

const dumpOf = async (folder: string): Promise<string> => await readFile(`${folder}/shop-db/globals.sql`, 'utf8');

test('databases are dumped by pg_dump of the server’s major, and restic alone brings them back', { skip }, async () => {
  await using shop = await startShop();
  await shop.sql('create database closed allow_connections false');
  await using dir = await tempDir();
  const scene = await shopScene(dir.path, shop.url, { method: 'logical' });
  const said = await scene.ok('backup', 'shop-db');
  assert.doesNotMatch(said, /warning/i);
  assert.match(said, /left out: shop-db: closed: it accepts no connections\n.*template0: it is a template/);
  const to = dir.file('back');
  const at = { repository: scene.file('near'), password: 'secret' };
  await resticOk('0.19.1', at, ['restore', 'latest', '--target', to]);
  assert.deepEqual(await readdir(`${to}/shop-db/databases`), ['postgres.dump', 'second.dump', 'shop.dump']);
  assert.match(await dumpOf(to), /CREATE ROLE clerk;[^]*SCRAM-SHA-256/);
  const described = await readFile(`${to}/shop-db/postgres.json`, 'utf8');
  assert.match(described, /"version": "15\.18"/);
  assert.doesNotMatch(described, /SCRAM|kanarienvogel/);
  const restore = '/usr/lib/postgresql/15/bin/pg_restore';
  const dump = `${to}/shop-db/databases/shop.dump`;
  await runOk(restore, ['--exit-on-error', '-j2', '-d', shop.url.replace(/postgres$/, 'second'), dump]);
  assert.deepEqual(await shop.sql(content, 'second'), await shop.sql(content, 'shop'));
});

test(
  'a dump is loaded into a new database, whose rows are told; one that holds something is refused by name',
  { skip },
  async () => {
    await using shop = await startShop();
    await using dir = await tempDir();
    const scene = await shopScene(dir.path, shop.url, { method: 'logical' });
    await scene.ok('backup', 'shop-db');
    const loading = ['restore', 'shop-db', '--method', 'logical', '--database', 'shop', '--into'] as const;
    const said = await scene.ok(...loading, shop.url.replace(/postgres$/, 'shop_new'));
    assert.match(said, /loaded 2 tables with 20001 rows into 127\.0\.0\.1:\d+\/shop_new/);
    assert.deepEqual(await shop.sql(content, 'shop_new'), await shop.sql(content, 'shop'));
    assert.deepEqual(await shop.sql(settings, 'shop_new'), await shop.sql(settings, 'shop'));
    const refused = await scene.run(...loading, shop.url.replace(/postgres$/, 'second'));
    assert.equal(refused.code, 0, 'an empty database is taken');
    const { code, stderr } = await scene.run(...loading, shop.url.replace(/postgres$/, 'shop'));
    assert.deepEqual([code, /the database shop is there already, and holds public/.test(stderr)], [1, true], stderr);
    const [record] = (await scene.ok('records', '--kind', 'restore', '--json')).trim().split('\n').toReversed();
    assert.match(record ?? '', /"outcome":"refused"|"outcome":"failed"/);
  },
);

test('a load is refused before anything is changed where roles or extensions are missing', { skip }, async () => {
  await using shop = await startShop();
  await using dir = await tempDir();
  await using other = await startPostgresVersion({ major: '16' });
  const scene = await shopScene(dir.path, shop.url, { method: 'logical' });
  await scene.ok('backup', 'shop-db');
  const into = other.url.replace(/postgres$/, 'shop');
  const loading = ['restore', 'shop-db', '--database', 'shop', '--into', into] as const;
  const { code, stderr } = await scene.run(...loading);
  assert.deepEqual([code, /lacks roles that the dump names: clerk/.test(stderr)], [1, true], stderr);
  await scene.ok(...loading, '--no-owner', '--no-privileges');
  assert.deepEqual(await other.sql(content, 'shop'), await shop.sql(content, 'shop'));
});

test('a switch puts the new database at the old one’s name, and keeps that one', { skip }, async () => {
  await using shop = await startShop();
  await using dir = await tempDir();
  const scene = await shopScene(dir.path, shop.url, { method: 'logical' });
  await scene.ok('backup', 'shop-db');
  await shop.sql('delete from orders', 'shop');
  const into = shop.url.replace(/postgres$/, 'shop_new');
  const said = await scene.ok('restore', 'shop-db', '--database', 'shop', '--into', into, '--switch');
  assert.deepEqual(await shop.sql('select count(*) from orders', 'shop'), ['20000']);
  const [, kept = ''] = /kept as (shop_before_\w+)/.exec(said) ?? [];
  assert.deepEqual(await shop.sql('select count(*) from orders', kept), ['0']);
  const [, back = ''] = /to go back, in the database postgres: (.*)/.exec(said) ?? [];
  for (const statement of back.split('; ')) await shop.sql(statement);
  assert.deepEqual(await shop.sql('select count(*) from orders', 'shop'), ['0']);
});

const clients = '/usr/lib/postgresql/15/bin';

/** Clients that do something else than PostgreSQL's own, which they find in $REAL. */
async function standIns(folder: string, scripts: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(folder);
  for (const name of ['pg_dump', 'pg_dumpall', 'pg_restore', 'psql']) {
    const script = scripts[name] ?? 'exec "$REAL" "$@"';
    const text = `#!/bin/sh\nREAL=${clients}/${name}\n[ "$1" = --version ] && exec "$REAL" "$@"\n${script}\n`;
    await writeFile(`${folder}/${name}`, text, { mode: 0o755 });
  }
  return folder;
}

test(
  'a dump that is cut short or ends with an error is no snapshot, even where pg_dump says that it is right',
  { skip },
  async () => {
    await using shop = await startShop();
    await using dir = await tempDir();
    for (const [how, script, said] of [
      ['short', '"$REAL" "$@" | head -c 100000', /reading the dump to its end by pg_restore failed/],
      [
        'failed',
        '"$REAL" "$@" && echo "connection lost" >&2 && exit 1',
        /pg_dump failed: exit code 1\n\s+connection lost/,
      ],
    ] as const) {
      const folder = await standIns(dir.file(how), { pg_dump: script });
      const options = `logical: { databases: [shop], client: { folder: ${folder} } }`;
      const scene = await shopScene(dir.path, shop.url, { method: 'logical', options });
      const { code, stderr } = await scene.run('backup', 'shop-db');
      assert.deepEqual([code, said.test(stderr)], [1, true], stderr);
      assert.doesNotMatch(await scene.ok('snapshots', 'shop-db', '--points', '--json'), /identity/);
    }
  },
);

test('passwords stand in no argument of a program', { skip }, async () => {
  await using shop = await startShop();
  await using dir = await tempDir();
  const heard = dir.file('heard');
  const hearing = `{ for one in "$0" "$@"; do echo "$one"; done; echo "password $PGPASSWORD"; } >> ${heard}; exec "$REAL" "$@"`;
  const scripts = { pg_dump: hearing, pg_dumpall: hearing, pg_restore: hearing };
  const folder = await standIns(dir.file('clients'), scripts);
  const options = `logical: { databases: [shop], client: { folder: ${folder} } }`;
  const url = shop.url.replace('postgres@', 'postgres:kanarienvogel@');
  const scene = await shopScene(dir.path, url, { method: 'logical', options });
  await scene.ok('backup', 'shop-db');
  await writeFile(dir.file('into'), url.replace(/postgres$/, 'shop_new'));
  await scene.ok('restore', 'shop-db', '--into', `file:${dir.file('into')}`);
  const lines = (await readFile(heard, 'utf8')).split('\n');
  assert.ok(lines.length > 20);
  assert.deepEqual([...new Set(lines.filter((line) => line.includes('kanarienvogel')))], ['password kanarienvogel']);
});
