import assert from 'node:assert/strict';
import { open, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import type { FileId } from '../src/bytes/ids.ts';
import { systemClock } from '../src/clock/clock.ts';
import { Secret } from '../src/secret/secret.ts';
import type { JobContext } from '../src/job/job.ts';
import { openPostgres } from '../src/source/postgres/open.ts';
import { postgresOptions } from '../src/source/postgres/options.ts';
import type { Source } from '../src/source/source.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import { isFullBudget } from './budget.ts';
import { withoutPostgres } from './servers/postgres.ts';
import { smallSegments } from './servers/postgres-program.ts';
import { postgresMajors, startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import type { PostgresMajor, PostgresServer } from './servers/postgres-versions.ts';
import { runRestic, withoutRestic } from './servers/restic.ts';
import { backupSource, jobContext, newRepository, restoreSnapshot } from './support/engine.ts';
import { proveForVersion } from './support/postgres-matrix.ts';
import { databaseFiles, folderFor, restoreByRestic, shopScene, startCopy } from './support/postgres-scene.ts';
import { shared } from './support/shared.ts';
import { runOk } from './support/run-program.ts';
import { standbyOn } from './support/standby.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { goingOn, unhurried } from './support/writing.ts';

const skip = withoutPostgresVersions() || withoutRestic('0.19.1') || withoutPostgres();
const onHost = { options: 'reading: host' };
/** Debian's, which the packages of npm's lack. */
const verifyBackup = '/usr/lib/postgresql/15/bin/pg_verifybackup';

const isUnlike = (major: PostgresMajor): boolean => isFullBudget && major === '18';

async function startShop(major: PostgresMajor): Promise<PostgresServer & { readonly elsewhere: string }> {
  // Without checksums of pages, and with larger segments of the log.
  const initdb = isUnlike(major) ? ['--no-data-checksums', '--wal-segsize=64'] : smallSegments;
  const server = await startPostgresVersion({ major, initdb, settings: ['autovacuum=off'] });
  const elsewhere = await folderFor(server, 'elsewhere');
  await server.sql(`create tablespace elsewhere location '${elsewhere}'`);
  await server.sql(`
    create table orders as select n as id, repeat(md5(n::text), 10) as what from generate_series(1, 10000) n;
    create unlogged table scratch as select n as id from generate_series(1, 1000) n;
    create table first (id int); create table second (id int) tablespace elsewhere;
    create table far (id int, what text) tablespace elsewhere;
    insert into far select n, md5(n::text) from generate_series(1, 5000) n`);
  return { ...server, elsewhere };
}

const ofBoth =
  'insert into first select coalesce(max(id), 0) + 1 from first; insert into second select max(id) from first';

/** Writes rows of equal content into two tables, one transaction each, until it is told to end. */
async function writePairsUntil(server: PostgresServer, ended: AbortSignal): Promise<void> {
  for (let round = 0; !ended.aborted; round++, await unhurried()) {
    await server.sql(`begin; ${ofBoth}; commit`);
    if (round % 20 === 0) await server.sql('checkpoint');
  }
}

/** Whole transactions are there, and nothing of others. */
async function assertPairs(server: PostgresServer): Promise<void> {
  const counts = await server.sql('select (select count(*) from first), (select count(*) from second)');
  const [first, second] = counts[0]?.split('|') ?? [];
  assert.equal(first, second);
  assert.ok(Number(first) > 0);
}

/** As above, and rewrites others, makes and drops some. */
async function writeUntil(server: PostgresServer, ended: AbortSignal): Promise<void> {
  for (let round = 0; !ended.aborted; round++, await unhurried()) {
    await server.sql(`begin; ${ofBoth}; commit`);
    await server.sql(`update orders set what = what || ' ' where id % 400 = ${round % 400}`);
    if (round % 5 === 0) await server.sql('checkpoint; create table passing as select * from far; drop table passing');
  }
}

const content = 'select count(*), md5(string_agg(id || what, chr(10) order by id)) from';

for (const major of isFullBudget ? postgresMajors : (['18'] as const)) {
  test(
    `PostgreSQL ${major}: a data directory read on its host under load comes back by restic alone, beside production`,
    { skip },
    async (context) => {
      await using shop = await startShop(major);
      await using dir = await tempDir();
      const scene = await shopScene(dir.path, shop.url, onHost);
      await using writing = goingOn(async (ended) => await writeUntil(shop, ended));
      const said = await scene.ok('backup', 'shop-db');
      await writing.stop();
      assert.doesNotMatch(said, /warning/i);
      const data = await restoreByRestic(scene, shop.running.dir.file('copy'));
      if (major === '15') await runOk(verifyBackup, [data]);
      const description = await readFile(join(data, '../postgres.json'), 'utf8');
      assert.match(description, isUnlike(major) ? /"dataChecksums": "off"/ : /"dataChecksums": "right"/);
      assert.ok(!(await readdir(data)).includes('tablespace_map'));
      await shop.sql('checkpoint');
      const folders = [join(shop.data, 'base'), join(shop.data, 'pg_tblspc'), shop.elsewhere];
      const before = await databaseFiles(folders);
      await using copy = await startCopy(major, data);
      assert.deepEqual(await copy.sql(`${content} far`), await shop.sql(`${content} far`));
      assert.deepEqual(await copy.sql('select count(*), max(id) from orders'), ['10000|10000']);
      assert.deepEqual(await copy.sql('select count(*) from scratch'), ['0'], 'an unlogged table comes back empty');
      await assertPairs(copy);
      await copy.sql('delete from far; update orders set id = 0');
      await copy.sql('vacuum far');
      await copy.sql('checkpoint');
      assert.deepEqual(await databaseFiles(folders), before);
      const claim = 'restic alone restores a backup read on the host under load, which starts beside production';
      proveForVersion(context, major, { claim, column: 'on its host', count: '1 restore' });
    },
  );
}

/** Each test has tables of its own in it. What a standby has not had yet, checkpoints don't recycle. */
const settings = ['autovacuum=off', 'wal_keep_size=1GB'];
const shopOf = shared(
  async (major: PostgresMajor) => await startPostgresVersion({ major, initdb: smallSegments, settings }),
);

test(
  'a wrong page is told when a data directory is read on its host, and the rest is in the snapshot',
  { skip },
  async () => {
    const shop = await shopOf('15');
    await shop.sql('create table wrong as select n as id from generate_series(1, 10000) n; checkpoint');
    const [path = ''] = await shop.sql("select pg_relation_filepath('wrong')");
    await using _dropped = { [Symbol.asyncDispose]: async () => void (await shop.sql('drop table wrong; checkpoint')) };
    await using file = await open(join(shop.data, path), 'r+');
    await file.write(Buffer.from([0xff]), 0, 1, 8192 + 4000);
    await using dir = await tempDir();
    const scene = await shopScene(dir.path, shop.url, onHost);
    const { code, stderr } = await scene.run('backup', 'shop-db');
    assert.equal(code, 3, stderr);
    assert.match(stderr, new RegExp(`checksum verification failed in file "${path}", block 1`));
    assert.doesNotMatch(stderr, /block (?:0|2)/);
    const at = { repository: scene.file('near'), password: 'secret' };
    const { stdout } = await runRestic('0.19.1', at, ['dump', 'latest', `/shop-db/data/${path}`]);
    assert.deepEqual(stdout, await readFile(join(shop.data, path)));
  },
);

/** The component's source; `onRead` is told what it has the workers read. */
function hostSource(url: string, onRead: (path: string) => void | Promise<void>): Source {
  const options = postgresOptions.parse({ url: { env: 'DATABASE_URL' }, reading: 'host' });
  const readSecret = async (): Promise<Secret> => new Secret(url);
  const { source } = openPostgres(options, { component: 'shop-db', clock: systemClock, readSecret, leftOut: [] });
  assert.ok(source);
  return {
    entries: ({ store, ...walk }) =>
      source.entries({
        ...walk,
        store: async (content) => {
          if (content.kind === 'live-file') await onRead(content.path);
          return (await store?.(content)) ?? assert.fail('nothing can be stored');
        },
      }),
  };
}

async function emptyRepository(): Promise<JobContext> {
  const storage = new MemoryStorage();
  await (await newRepository(storage))[Symbol.asyncDispose]();
  return jobContext(storage, systemClock);
}

test(
  'a second backup of a data directory reads what has changed since, whatever its times say, and nothing else',
  { skip },
  async () => {
    const shop = await shopOf('15');
    await shop.sql(`create table changing as select n as id, 'new' as what from generate_series(1, 20000) n;
      create table kept as select n as id from generate_series(1, 20000) n; checkpoint`);
    const [changing = ''] = await shop.sql("select pg_relation_filepath('changing')");
    const [kept = ''] = await shop.sql("select pg_relation_filepath('kept')");
    const old = new Date(Date.parse('2026-01-01T00:00:00Z'));
    for (const name of await readdir(join(shop.data, 'base'), { recursive: true }))
      await utimes(join(shop.data, 'base', name), old, old);

    const context = await emptyRepository();
    const backUp = async (): Promise<{ readonly id: FileId | undefined; readonly read: ReadonlySet<string> }> => {
      const read = new Set<string>();
      const { snapshot } = await backupSource(
        context,
        hostSource(shop.url, (path) => void read.add(path)),
      );
      return { id: snapshot, read: new Set([...read].map((path) => relative(shop.data, path))) };
    };
    const first = await backUp();
    assert.ok(first.read.has(kept) && first.read.size > 250);

    await shop.sql("update changing set what = 'old' where id = 7; checkpoint");
    await utimes(join(shop.data, changing), old, old);
    const second = await backUp();
    assert.ok(second.read.has(changing), 'its times are what they were, but not that of its last change');
    assert.ok(!second.read.has(kept) && second.read.size < 50, [...second.read].join(' '));
    assert.ok(second.id);
    const copied = await folderFor(shop, 'copy');
    await restoreSnapshot(context, second.id, copied);
    const data = join(copied, 'shop-db', 'data');
    await runOk(verifyBackup, [data]);
    await using copy = await startCopy('15', data);
    const counts = "select count(*), count(*) filter (where what = 'old'), (select count(*) from kept) from changing";
    assert.deepEqual(await copy.sql(counts), ['20000|1|20000']);
  },
);

interface Pair {
  readonly shop: PostgresServer;
  readonly standby: PostgresServer;
  readonly dir: TempDir;
}

/** A backup of the standby's data directory that the primary begins and ends, while it is written to. */
async function assertReadByPrimary({ shop, standby, dir }: Pair): Promise<void> {
  const byPrimary = { options: `reading: host, primary: { file: ${dir.file('primary')} }` };
  const both = await shopScene(dir.path, standby.url, byPrimary);
  await writeFile(dir.file('primary'), standby.url);
  const refused = await both.run('backup', 'shop-db');
  assert.match(refused.stderr, /shop-db.*primary` leads to a standby/);
  await writeFile(dir.file('primary'), shop.url);
  await using writing = goingOn(async (ended) => await writePairsUntil(shop, ended));
  await both.ok('backup', 'shop-db');
  await writing.stop();
  const data2 = await restoreByRestic(both, shop.running.dir.file('copy2'));
  assert.match(await readFile(join(data2, 'backup_label'), 'utf8'), /^BACKUP FROM: primary$/m);
  await runOk(verifyBackup, [data2]);
  await using second = await startCopy('15', data2);
  await assertPairs(second);
  assert.deepEqual(await second.sql('select count(*) from orders'), ['2000']);
}

test(
  'a standby’s data directory read on its host comes up as a cluster of its own; one promoted meanwhile leaves no snapshot',
  { skip },
  async () => {
    const shop = await shopOf('15');
    await shop.sql('create table orders as select n as id from generate_series(1, 1000) n');
    await shop.sql('create table first (id int); create table second (id int)');
    await using dir = await tempDir();
    const scene = await shopScene(dir.path, shop.url, onHost);
    await scene.ok('backup', 'shop-db');
    const data = await restoreByRestic(scene, shop.running.dir.file('standby'));
    assert.match(await readFile(join(data, '../postgres.json'), 'utf8'), /"dataChecksums": "right"/);
    await using standby = await standbyOn(data, shop, '15', ['archive_mode=off', 'autovacuum=off']);
    await shop.sql('insert into orders select n from generate_series(1001, 2000) n; checkpoint');
    while ((await standby.sql('select count(*) from orders'))[0] !== '2000') await systemClock.sleep(20);

    await writeFile(dir.file('url'), standby.url);
    await scene.ok('backup', 'shop-db');
    const copied = await restoreByRestic(scene, shop.running.dir.file('copy-of-standby'));
    await using copy = await startCopy('15', copied);
    assert.deepEqual(await copy.sql('select pg_is_in_recovery()'), ['false']);
    assert.deepEqual(await copy.sql('select count(*) from orders'), ['2000']);

    if (isFullBudget) await assertReadByPrimary({ shop, standby, dir });

    let promotion: Promise<unknown> | undefined; // each database has such a file
    const promoted = hostSource(standby.url, async (path) => {
      if (path.endsWith('/PG_VERSION')) await (promotion ??= standby.sql('select pg_promote()'));
    });
    await assert.rejects(backupSource(await emptyRepository(), promoted), /shop-db.*promoted/);
  },
);

/** Gives the server reason to recycle its log, many segments over. */
async function recycle({ sql }: PostgresServer): Promise<void> {
  for (let segment = 0; segment < 5; segment++) {
    await sql("select pg_logical_emit_message(false, 'holdfast', repeat('x', 1000))");
    await sql('select pg_switch_wal()');
    await sql('checkpoint');
  }
}

test(
  'a server that keeps no log for its slots, and recycles it while its data directory is read, leaves no snapshot',
  { skip },
  async () => {
    const settings = ['autovacuum=off', 'min_wal_size=2MB', 'max_wal_size=2MB', 'wal_keep_size=0'];
    await using shop = await startPostgresVersion({
      major: '15',
      initdb: smallSegments,
      settings: [...settings, 'max_replication_slots=0'],
    });
    const source = hostSource(shop.url, async (path) => {
      if (path.endsWith('/postgresql.conf')) await recycle(shop);
    });
    await assert.rejects(backupSource(await emptyRepository(), source), /shop-db.*pg_wal\/[0-9A-F]{24} is gone/);
  },
);
