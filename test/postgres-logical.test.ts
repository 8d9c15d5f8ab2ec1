import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import pg from 'pg';
import { absent } from './absences.ts';
import { isFullBudget } from './budget.ts';
import { postgresClients, withoutPostgresClients } from './servers/postgres-clients.ts';
import { smallSegments } from './servers/postgres-program.ts';
import { withoutPostgres } from './servers/postgres.ts';
import { startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import type { PostgresMajor, PostgresServer } from './servers/postgres-versions.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { outputOf } from './support/holdfast.ts';
import { folderFor, shopScene, verifiedByAnybody } from './support/postgres-scene.ts';
import { served } from './support/served.ts';
import { clients, standIns } from './support/stand-ins.ts';
import { runOk } from './support/run-program.ts';
import { startStandby } from './support/standby.ts';
import { tempDir } from './support/temp-dir.ts';
import type { Scene } from './support/verifying.ts';

const skip = withoutPostgresVersions() || withoutPostgres() || withoutRestic('0.19.1');

const content = 'select count(*), md5(string_agg(id || what, chr(10) order by id)) from orders';
const settings = `select unnest(setconfig) from pg_db_role_setting join pg_database d on setdatabase = d.oid
  where datname = current_database() order by 1`;
const ordersTo = (last: number): string =>
  `select n as id, repeat(md5(n::text), 10) as what from generate_series(1, ${last}) n`;
const orders = ordersTo(5000);

const used = new AsyncDisposableStack();
after(async () => await used.disposeAsync());

interface Shop extends PostgresServer {
  /** The address of a database in it. */
  readonly at: (database: string) => string;
  /** A new database for as long as somebody uses it. */
  readonly withDatabase: (name: string, text?: string) => Promise<AsyncDisposable>;
}

async function started(major: PostgresMajor): Promise<Shop> {
  const cluster = { major, databases: 'all', initdb: smallSegments, settings: ['autovacuum=off'] } as const;
  const server = used.use(await startPostgresVersion(cluster));
  const dropped = (name: string) => ({
    [Symbol.asyncDispose]: async () => void (await server.sql(`drop database if exists ${name} with (force)`)),
  });
  return {
    ...server,
    at: (database) => server.url.replace(/postgres$/, database),
    withDatabase: async (name, text) => {
      if (text !== undefined) await server.sql(`create database ${name}`);
      if (text !== undefined && text !== '') await server.sql(text, name);
      return dropped(name);
    },
  };
}

async function makeShop(): Promise<Shop> {
  const shop = await started('15');
  await shop.sql("create role clerk login password 'kanarienvogel'");
  await shop.sql('create database shop owner clerk');
  await shop.sql('create database second');
  await shop.sql("alter database shop set search_path = shop, public; alter database shop set work_mem = '5MB'");
  await shop.sql(
    `create table orders as ${orders}; alter table orders owner to clerk; create index on orders (id);
    create table "Käse" as select 1 as id`,
    'shop',
  );
  return shop;
}

let madeShop: Promise<Shop> | undefined;
/** The databases shop and second, which every test leaves as they are. */
const theShop = async (): Promise<Shop> => await (madeShop ??= makeShop());

let madeNewest: Promise<Shop> | undefined;
const newest = async (): Promise<Shop> => await (madeNewest ??= started('18'));

interface Dumped {
  readonly shop: Shop;
  readonly said: string;
  /** A scene of its own, with the snapshot in it. */
  readonly sceneAt: (folder: string, more?: string) => Promise<Scene>;
}

async function makeDumped(): Promise<Dumped> {
  const shop = await theShop();
  await using _closed = await shop.withDatabase('closed', '');
  await shop.sql('alter database closed allow_connections false');
  const dir = used.use(await tempDir());
  const said = await (await shopScene(dir.path, shop.url, { method: 'logical' })).ok('backup', 'shop-db');
  const sceneAt: Dumped['sceneAt'] = async (folder, more) => {
    await runOk('cp', ['-a', dir.file('near'), folder]);
    return await shopScene(folder, shop.url, { method: 'logical', ...(more && { more }) });
  };
  return { shop, said, sceneAt };
}

let madeDumped: Promise<Dumped> | undefined;
const dumped = async (): Promise<Dumped> => await (madeDumped ??= makeDumped());

const dumpOf = async (folder: string): Promise<string> => await readFile(`${folder}/shop-db/globals.sql`, 'utf8');

test('databases are dumped by pg_dump of the server’s major, and restic alone brings them back', { skip }, async () => {
  const { shop, said, sceneAt } = await dumped();
  await using dir = await tempDir();
  const scene = await sceneAt(dir.path);
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
  await using _loaded = await shop.withDatabase('loaded', '');
  await runOk(restore, ['--exit-on-error', '-j2', '-d', shop.at('loaded'), dump]);
  assert.deepEqual(await shop.sql(content, 'loaded'), await shop.sql(content, 'shop'));
});

test(
  'a dump is loaded into a new database, whose rows are told; one that holds something is refused by name',
  { skip },
  async () => {
    const { shop, sceneAt } = await dumped();
    await using dir = await tempDir();
    await using _loaded = await shop.withDatabase('shop_new');
    await using _empty = await shop.withDatabase('empty', '');
    const scene = await sceneAt(dir.path);
    const loading = ['restore', 'shop-db', '--method', 'logical', '--database', 'shop', '--into'] as const;
    const dry = await scene.ok(...loading, shop.at('shop_new'), '--dry-run');
    assert.match(dry, /would load 1\.\d+ MiB into 127\.0\.0\.1:\d+\/shop_new; nothing was changed/);
    assert.deepEqual(await shop.sql("select datname from pg_database where datname = 'shop_new'"), []);
    const said = await scene.ok(...loading, shop.at('shop_new'));
    assert.match(said, /loaded 2 tables with 5001 rows into 127\.0\.0\.1:\d+\/shop_new/);
    assert.deepEqual(await shop.sql(content, 'shop_new'), await shop.sql(content, 'shop'));
    assert.deepEqual(await shop.sql(settings, 'shop_new'), await shop.sql(settings, 'shop'));
    const taken = await scene.run(...loading, shop.at('empty'));
    assert.equal(taken.code, 0, 'an empty database is taken');
    assert.match(taken.stderr, /the role of --into is a superuser: .* is run with all rights there/);
    const { code, stderr } = await scene.run(...loading, shop.at('shop'));
    assert.deepEqual([code, /the database shop is there already, and holds public/.test(stderr)], [1, true], stderr);
    const [record] = (await scene.ok('records', '--kind', 'restore', '--json')).trim().split('\n').toReversed();
    assert.match(record ?? '', /"outcome":"refused"|"outcome":"failed"/);
  },
);

test('a load is refused before anything is changed where roles or extensions are missing', { skip }, async () => {
  const { shop, sceneAt } = await dumped();
  await using dir = await tempDir();
  const other = await newest();
  await using _loaded = await other.withDatabase('shop');
  const scene = await sceneAt(dir.path);
  const into = other.at('shop');
  const loading = ['restore', 'shop-db', '--database', 'shop', '--into', into] as const;
  const { code, stderr } = await scene.run(...loading);
  assert.deepEqual([code, /lacks roles that the dump names: clerk/.test(stderr)], [1, true], stderr);
  await scene.ok(...loading, '--no-owner', '--no-privileges');
  assert.deepEqual(await other.sql(content, 'shop'), await shop.sql(content, 'shop'));
});

if (isFullBudget) {
  test('a dump is not loaded into a server of an older major', { skip }, async () => {
    const { sceneAt } = await dumped();
    await using dir = await tempDir();
    await using older = await startPostgresVersion({ major: '14', databases: 'all' });
    const scene = await sceneAt(dir.path);
    const into = older.url.replace(/postgres$/, 'shop');
    const { code, stderr } = await scene.run('restore', 'shop-db', '--database', 'shop', '--into', into);
    assert.equal(code, 1);
    assert.match(stderr, /is PostgreSQL 14: a dump of PostgreSQL 15 is not loaded into an older one/);
    assert.deepEqual(await older.sql("select datname from pg_database where datname = 'shop'"), []);
  });
}

test(
  'a switch puts out whoever is in, puts the new database at the old one’s name, and keeps that one',
  { skip },
  async () => {
    const { shop, sceneAt } = await dumped();
    await using dir = await tempDir();
    await using _loaded = await shop.withDatabase('shop_new');
    const scene = await sceneAt(dir.path);
    await shop.sql('delete from orders', 'shop');
    const inside = new pg.Client({ connectionString: shop.at('shop') });
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    inside.on('end', resolve);
    inside.on('error', () => undefined); // it is put out
    await inside.connect();
    const into = ['--into', shop.at('shop_new'), '--switch'];
    const said = await scene.ok('restore', 'shop-db', '--database', 'shop', ...into);
    await ended;
    assert.deepEqual(await shop.sql('select count(*) from orders', 'shop'), ['5000']);
    const [, kept = ''] = /kept as (shop_before_\w+)/.exec(said) ?? [];
    assert.deepEqual(await shop.sql('select count(*) from orders', kept), ['0']);
    const [, back = ''] = /to go back, in the database postgres: (.*)/.exec(said) ?? [];
    for (const statement of back.split('; ')) await shop.sql(statement);
    assert.deepEqual(await shop.sql('select count(*) from orders', 'shop'), ['0']);
    await shop.sql(`insert into orders ${orders}`, 'shop');
  },
);

test(
  'a dump that is cut short or ends with an error is no snapshot, even where pg_dump says that it is right',
  { skip },
  async () => {
    const shop = await theShop();
    await using dir = await tempDir();
    for (const [how, script, said] of [
      ['short', '"$REAL" "$@" | head -c 30000', /reading the dump to its end by pg_restore failed/],
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
  const shop = await theShop();
  await using dir = await tempDir();
  await using _loaded = await shop.withDatabase('shop_new');
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

test(
  'a logical backup is verified: loaded into an empty cluster of its major in the sandbox, and asked',
  { skip },
  async () => {
    const shop = await theShop();
    await shop.sql(`create tablespace elsewhere location '${await folderFor(shop, 'elsewhere')}'`);
    const far = 'create table far (id int) tablespace elsewhere; insert into far values (7)';
    await using _placed = await shop.withDatabase('placed', `${far}; create table orders as ${orders}`);
    await using dir = await tempDir();
    const options = 'logical: { databases: [placed, postgres] }, programs: [/usr/lib/postgresql/15/bin]';
    const check = '{ name: enough, sql: "select count(*) from orders", equals: 5000 }';
    const more = `    verify: [{ every: 1d, do: restore, checks: [${check}] }]\n`;
    const scene = await shopScene(dir.path, shop.at('placed'), { method: 'logical', options, more });
    await scene.ok('backup', 'shop-db');
    const { code, all } = await scene.verified('shop-db');
    assert.equal(code, 0, JSON.stringify(all));
    const steps = all.flatMap(({ checks = [] }) => checks.map(({ name, state }) => `${name} ${state}`));
    const databases = ['database placed', 'database postgres'];
    const names = ['sandbox', 'programs', 'start', 'extensions', 'globals', ...databases, 'tables', 'enough'];
    assert.deepEqual(
      steps,
      names.map((name) => `${name} passed`),
    );
  },
);

test(
  'the format directory is dumped by jobs through a spool that is gone afterwards, and ended where it outgrows its limit (18)',
  { skip: withoutPostgresVersions() || withoutPostgresClients() },
  async () => {
    const shop = await newest();
    await using _shop = await shop.withDatabase('shop');
    await using _loaded = await shop.withDatabase('shop_new');
    await shop.sql("create database shop template template0 locale_provider builtin builtin_locale 'C.UTF-8'");
    const create = `create table orders as ${ordersTo(20_000)}; create table others as table orders`;
    await shop.sql(`${create}; select lo_from_bytea(0, 'large')`, 'shop');
    await using dir = await tempDir();
    await mkdir(dir.file('spool'));
    const spool = `format: directory, jobs: 2, spool: ${dir.file('spool')}`;
    const options = (more: string): string => `programs: [${folder}], logical: { databases: [shop], ${spool}${more} }`;
    const folder = await postgresClients();
    const narrow = await shopScene(dir.path, shop.url, { method: 'logical', options: options(', spool-limit: 1MiB') });
    const { code, stderr } = await narrow.run('backup', 'shop-db');
    assert.deepEqual([code, /outgrew its spool: the limit is 1 MiB/.test(stderr)], [1, true], stderr);
    assert.doesNotMatch(await narrow.ok('snapshots', 'shop-db', '--points', '--json'), /identity/);
    const scene = await shopScene(dir.path, shop.url, { method: 'logical', options: options('') });
    await scene.ok('backup', 'shop-db');
    const left = await readdir(dir.file('spool'), { recursive: true });
    assert.deepEqual(left, [`holdfast-dumps-${process.getuid?.()}`]);
    const said = await scene.ok('restore', 'shop-db', '--into', shop.at('shop_new'), '--jobs', '2');
    assert.match(said, /loaded 2 tables with 40000 rows/);
    assert.deepEqual(await shop.sql(content, 'shop_new'), await shop.sql(content, 'shop'));
    const locale = "select datlocale from pg_database where datname = 'shop_new'";
    assert.deepEqual(await shop.sql(locale), ['C.UTF-8']);
    assert.deepEqual(await shop.sql("select encode(data, 'escape') from pg_largeobject", 'shop_new'), ['large']);
  },
);

test(
  'a role that may not see passwords dumps all but these, and that is said, also by a server that ends idle sessions',
  { skip },
  async () => {
    const shop = await theShop();
    await shop.sql('grant select on "Käse" to clerk', 'shop');
    await shop.sql("alter role clerk set idle_session_timeout = '1s'");
    await using dir = await tempDir();
    const folder = await standIns(dir.file('clients'), { pg_dump: 'sleep 1.5; exec "$REAL" "$@"' });
    const options = `logical: { databases: [shop], client: { folder: ${folder} } }`;
    const scene = await shopScene(dir.path, shop.url.replace('postgres@', 'clerk@'), { method: 'logical', options });
    const said = await scene.ok('backup', 'shop-db');
    assert.match(said, /left out: shop-db: passwords of roles: the role may not read pg_authid/);
    const at = ['-r', scene.file('near'), '--password-file', scene.file('password')];
    const globals = await scene.ok('dump', ...at, 'latest', '/shop-db/globals.sql');
    assert.match(globals, /CREATE ROLE clerk;/);
    assert.doesNotMatch(globals, /SCRAM/);
  },
);

const runners = [
  ['docker', 'container: shop-1', 'exec -i shop-1 sh -c'],
  ['kubectl', 'pod: shop-0, namespace: prod', 'exec -i --namespace=prod shop-0 -- sh -c'],
] as const;

for (const [runner, client, before] of runners.slice(isFullBudget ? 0 : 1)) {
  test(
    `clients are run by ${runner} exec, and find the password on their standard input alone (a stand-in)`,
    { skip },
    async () => {
      const shop = await theShop();
      await using dir = await tempDir();
      await using _loaded = await shop.withDatabase('shop_new');
      const heard = dir.file('heard');
      const count = before.split(' ').length - 2;
      // As inside: with clients of its own, and the server at its own socket.
      const inside = `PATH=${clients}:/usr/bin:/bin PGHOST=${shop.running.dir.file('sockets')} PGPORT=${shop.running.port}`;
      const script = `#!/bin/sh\necho "$@" >> ${heard}\nshift ${count}\nexec env -i ${inside} "$@"\n`;
      await mkdir(dir.file('bin'));
      await writeFile(`${dir.file('bin')}/${runner}`, script, { mode: 0o755 });
      const options = `logical: { databases: [shop], client: { ${client} } }`;
      const url = shop.url.replace('postgres@', 'postgres:kanarienvogel@');
      const scene = await shopScene(dir.path, url, { method: 'logical', options });
      const env = { PATH: `${dir.file('bin')}:${process.env['PATH']}`, HOME: dir.path };
      const own = ['--state-dir', scene.file('state'), '--cache-dir', scene.file('cache')];
      const words = [...own, 'backup', 'shop-db'];
      outputOf(words, await served({ args: words, env, cwd: dir.path }));
      await scene.ok('restore', 'shop-db', '--into', url.replace(/postgres$/, 'shop_new'));
      assert.deepEqual(await shop.sql(content, 'shop_new'), await shop.sql(content, 'shop'));
      const said = await readFile(heard, 'utf8');
      assert.ok(said.split('\n').filter((line) => line.startsWith(before)).length >= 5, said);
      assert.doesNotMatch(said, /kanarienvogel/);
    },
  );
}

// In the sample anybody verifies a physical one, and what a host lacks is told of one. A standby is a second server.
if (isFullBudget) {
  test(
    'an extension that the server of a load or of a verification lacks is named: refused, could not verify (18)',
    { skip: withoutPostgresVersions() || withoutPostgresClients() },
    async () => {
      const shop = await newest();
      const folder = `${await folderFor(shop, 'extensions')}/extension`;
      await mkdir(folder);
      await writeFile(`${folder}/shoplike.control`, "default_version = '1.3'\n");
      await writeFile(`${folder}/shoplike--1.3.sql`, "create function alike() returns int language sql as 'select 1';");
      await shop.sql(`alter system set extension_control_path = '$system:${folder.replace(/\/extension$/, '')}'`);
      await shop.sql('select pg_reload_conf()');
      const create = 'create extension shoplike; create table orders as select 1 as id';
      await using _extended = await shop.withDatabase('extended', create);
      await using dir = await tempDir();
      const options = `logical: { databases: [extended] }, programs: [${await postgresClients()}]`;
      const more = '    verify: [{ every: 1d, do: restore }]\n';
      const scene = await shopScene(dir.path, shop.url, { method: 'logical', options, more });
      await scene.ok('backup', 'shop-db');
      const { code, all } = await scene.verified('shop-db');
      assert.equal(code, 5, JSON.stringify(all));
      assert.match(JSON.stringify(all), /this host lacks shoplike: install their packages/);
      await shop.sql('alter system reset extension_control_path');
      await shop.sql('select pg_reload_conf()');
      const refused = await scene.run('restore', 'shop-db', '--into', shop.at('extended_new'));
      assert.deepEqual(
        [refused.code, /lacks extensions that the dump needs: shoplike 1\.3/.test(refused.stderr)],
        [1, true],
        refused.stderr,
      );
      assert.deepEqual(await shop.sql("select datname from pg_database where datname = 'extended_new'"), []);
    },
  );

  test(
    'anybody verifies a logical backup where the kernel lets them have a sandbox',
    { skip: skip || (process.getuid?.() === 0 ? false : absent('root')) },
    async () => {
      const { sceneAt } = await dumped();
      await using dir = await tempDir();
      await sceneAt(dir.path, '    verify: [{ every: 1d, do: restore }]\n');
      assert.match(await verifiedByAnybody(dir), /verified/i);
    },
  );

  test(
    'a standby is dumped but for unlogged rows, and a load takes the newest dump, whatever is newer',
    { skip },
    async () => {
      const shop = await theShop();
      const create = `create unlogged table scratch as select 1 as id; create table orders as ${orders}`;
      await using _passing = await shop.withDatabase('passing', create);
      await using _loaded = await shop.withDatabase('shop_new');
      await using standby = await startStandby(shop, '15', []);
      await using dir = await tempDir();
      const options = 'logical: { databases: [passing] }';
      const ofStandby = await shopScene(dir.path, standby.url, { method: 'logical', options });
      const said = await ofStandby.ok('backup', 'shop-db');
      assert.match(said, /left out: shop-db: rows of unlogged tables: a standby has none/);
      const scene = await shopScene(dir.path, shop.url, { options });
      await scene.ok('backup', 'shop-db');
      await scene.ok('restore', 'shop-db', '--method', 'logical', '--into', shop.at('shop_new'));
      assert.deepEqual(await shop.sql(content, 'shop_new'), await shop.sql(content, 'passing'));
      assert.deepEqual(await shop.sql('select count(*) from scratch', 'shop_new'), ['0']);
    },
  );
}

test('a dump that no longer loads is found by a verification, and a load removes what it made', { skip }, async () => {
  const shop = await theShop();
  const allows = (what: string): string =>
    `create or replace function allowed(int) returns boolean language sql as 'select ${what}'`;
  const table = 'create table allowed_orders (id int check (allowed(id))); insert into allowed_orders values (1)';
  await using _odd = await shop.withDatabase('odd', `${allows('true')}; ${table}; ${allows('false')}`);
  await using dir = await tempDir();
  const more = '    verify: [{ every: 1d, do: restore }]\n';
  const options = 'logical: { databases: [odd] }';
  const scene = await shopScene(dir.path, shop.url, { method: 'logical', options, more });
  await scene.ok('backup', 'shop-db');
  const verified = await scene.verified('shop-db');
  assert.equal(verified.code, 4, JSON.stringify(verified.all));
  assert.match(JSON.stringify(verified.all), /violates check constraint/);
  const { code, stderr } = await scene.run('restore', 'shop-db', '--into', shop.at('shop_new'));
  assert.deepEqual([code, /violates check constraint[^]*shop_new was removed again/.test(stderr)], [1, true], stderr);
  assert.deepEqual(await shop.sql("select datname from pg_database where datname = 'shop_new'"), []);
});
