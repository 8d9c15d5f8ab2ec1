import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32c, crc32cText } from '../src/bytes/crc32c.ts';
import { postgresClients, withoutPostgresClients } from './servers/postgres-clients.ts';
import { smallSegments } from './servers/postgres-program.ts';
import { startPostgresVersion, withoutPostgresVersions, type PostgresServer } from './servers/postgres-versions.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { isFullBudget } from './budget.ts';
import { proveForVersion } from './support/postgres-matrix.ts';
import { databaseFiles, folderFor, restoreByRestic, shopScene, startCopy } from './support/postgres-scene.ts';
import type { Scene } from './support/verifying.ts';
import { runOk } from './support/run-program.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutPostgresVersions() || withoutRestic('0.19.1');

const content = 'select count(*), md5(string_agg(id || what, chr(10) order by id)) from orders';

async function startShop(major: '17' | '18'): Promise<PostgresServer & { readonly elsewhere: string }> {
  const server = await startPostgresVersion({
    major,
    initdb: smallSegments,
    settings: ['autovacuum=off', 'summarize_wal=on'],
  });
  const elsewhere = await folderFor(server, 'elsewhere');
  await server.sql(`create tablespace elsewhere location '${elsewhere}'`);
  await server.sql(`
    create table orders as select n as id, repeat(md5(n::text), 10) as what from generate_series(1, 6000) n;
    create index on orders (id);
    create table shrinking as select n as id, repeat('x', 500) as what from generate_series(1, 6000) n;
    create table gone (id int);
    create table far (id int, what text) tablespace elsewhere;
    insert into far select n, md5(n::text) from generate_series(1, 5000) n`);
  return { ...server, elsewhere };
}

/** Pages changed here and there, a table grown, one that was cut short and grew again, one dropped, one new. */
async function change(shop: PostgresServer): Promise<void> {
  await shop.sql(`
    update orders set what = 'changed' where id % 1000 = 7;
    insert into orders select n, md5(n::text) from generate_series(6001, 7000) n;
    delete from shrinking where id > 100`);
  await shop.sql('vacuum shrinking');
  await shop.sql(`
    insert into shrinking select n, repeat('y', 500) from generate_series(1, 1000) n;
    drop table gone;
    create table fresh as select 1 as id;
    update far set what = 'there' where id = 4000`);
}

/** Each file that the manifest of a data directory lists, held against it. */
async function assertManifestHolds(data: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(data, 'backup_manifest'), 'utf8')) as Manifest;
  for (const { Path, Size, Checksum } of manifest.Files) {
    const bytes = await readFile(join(data, Path));
    assert.deepEqual([bytes.length, crc32cText(crc32c(0, bytes))], [Size, Checksum], Path);
  }
}

interface Manifest {
  readonly Files: readonly { readonly Path: string; readonly Size: number; readonly Checksum: string }[];
}

/** undefined: it was sent as a whole. */
async function mergedFacts(data: string): Promise<{ readonly sinceFull: number } | undefined> {
  const text = await readFile(join(data, '../postgres.json'), 'utf8');
  return (JSON.parse(text) as Described).merged;
}

interface Described {
  readonly merged?: { readonly sinceFull: number };
}

for (const major of isFullBudget ? (['17', '18'] as const) : (['18'] as const)) {
  test(
    `PostgreSQL ${major}: what changed is merged into a whole snapshot, byte by byte what a full backup has, that starts by restic alone`,
    { skip },
    async (context) => {
      await using shop = await startShop(major);
      await using dir = await tempDir();
      const scene = await shopScene(dir.path, shop.url);
      await scene.ok('backup', 'shop-db');
      await change(shop);
      await scene.ok('backup', 'shop-db');
      const data = await restoreByRestic(scene, shop.running.dir.file('merged'));
      await assertManifestHolds(data);
      assert.equal((await mergedFacts(data))?.sinceFull, 1);
      const merged = await databaseFiles([join(data, 'base'), join(data, 'pg_tblspc')]);

      const other = await shopScene(dir.file('other'), shop.url);
      await other.ok('backup', 'shop-db');
      const whole = await restoreByRestic(other, shop.running.dir.file('whole'));
      const full = await databaseFiles([join(whole, 'base'), join(whole, 'pg_tblspc')]);
      const within = (files: ReadonlyMap<string, string>, root: string): readonly string[] =>
        [...files].map(([path, hash]) => `${path.slice(root.length)} ${hash}`).toSorted();
      assert.deepEqual(within(merged, data), within(full, whole));

      assert.equal(await mergedFacts(whole), undefined);
      await using copy = await startCopy(major, data);
      assert.deepEqual(await copy.sql(content), await shop.sql(content));
      assert.deepEqual(
        await copy.sql('select count(*) from shrinking'),
        await shop.sql('select count(*) from shrinking'),
      );
      assert.deepEqual(await copy.sql("select id from far where what = 'there'"), ['4000']);
      const claim = 'an incremental backup is byte by byte what a full one is, and starts by restic alone';
      proveForVersion(context, major, { claim, column: 'incremental', count: '1 merge' });
    },
  );
}

test('what the server can’t tell, or the policy does not want, is sent as a whole', { skip }, async () => {
  await using shop = await startPostgresVersion({ major: '18', initdb: smallSegments, settings: ['autovacuum=off'] });
  await using dir = await tempDir();
  const scene = await shopScene(dir.path, shop.url);
  const backUp = async (at: Scene): Promise<number | undefined> => {
    await at.ok('backup', 'shop-db');
    const from = { repository: at.file('near'), password: 'secret' };
    const text = await resticOk('0.19.1', from, ['dump', 'latest', '/shop-db/postgres.json']);
    return (JSON.parse(text) as Described).merged?.sinceFull;
  };
  const summarize = async (state: 'on' | 'off'): Promise<void> => {
    await shop.sql(`alter system set summarize_wal = ${state}`);
    await shop.sql('select pg_reload_conf()');
  };
  assert.equal(await backUp(scene), undefined, 'there is no parent');
  await shop.sql('create table orders as select 7 as id; select pg_switch_wal()');
  await shop.sql('checkpoint');
  await summarize('on');
  assert.equal(await backUp(scene), undefined, 'it has no summaries from the parent on');
  assert.equal(await backUp(scene), 1);
  assert.equal(await backUp(scene), 2);
  assert.equal(await backUp(await shopScene(dir.path, shop.url, { options: 'incremental: never' })), undefined);
  await summarize('off');
  assert.equal(await backUp(await shopScene(dir.path, shop.url)), undefined, 'it summarizes nothing any more');
});

// The server backs itself up twice beside, which takes its time.
if (isFullBudget) {
  test(
    'what is merged is what pg_combinebackup makes of the server’s own backups, but for visibility maps, and passes pg_verifybackup',
    { skip: skip || withoutPostgresClients() },
    async () => {
      await using shop = await startShop('18');
      await using dir = await tempDir();
      const programs = await postgresClients();
      const run = async (name: string, ...args: readonly string[]): Promise<void> =>
        void (await runOk(join(programs, name), args, { timeoutMs: 300_000 }));
      /** A tablespace goes to a folder of its own, in each. */
      const base = async (name: string, ...more: readonly string[]): Promise<string> => {
        const moved = ['-T', `${shop.elsewhere}=${dir.file(`${name}-elsewhere`)}`];
        await run('pg_basebackup', '-d', shop.url, '-D', dir.file(name), '-X', 'none', '-c', 'fast', ...moved, ...more);
        return dir.file(name);
      };
      const full = await base('full');
      const scene = await shopScene(dir.path, shop.url);
      await scene.ok('backup', 'shop-db');
      await change(shop);
      await scene.ok('backup', 'shop-db');
      const partial = await base('partial', `--incremental=${join(full, 'backup_manifest')}`);
      const moved = ['-T', `${dir.file('partial-elsewhere')}=${dir.file('combined-elsewhere')}`];
      await run('pg_combinebackup', full, partial, '-o', dir.file('combined'), '--no-sync', ...moved);

      const data = await restoreByRestic(scene, shop.running.dir.file('merged'));
      assert.equal((await mergedFacts(data))?.sinceFull, 1);
      await run('pg_verifybackup', data);
      // The summaries don't tell of every bit of a visibility map: pg_combinebackup leaves it as the parent had it.
      const relations = async (folder: string): Promise<readonly string[]> =>
        [...(await databaseFiles([folder]))]
          .filter(([path]) => !path.endsWith('_vm'))
          .map(([path, hash]) => `${path.slice(folder.length)} ${hash}`)
          .toSorted();
      const ours = await relations(join(data, 'base'));
      assert.ok(ours.length > 200, `${ours.length} relations`);
      assert.deepEqual(ours, await relations(join(dir.file('combined'), 'base')));
      const [space = ''] = await readdir(join(data, 'pg_tblspc'));
      assert.deepEqual(
        await relations(join(data, 'pg_tblspc', space)),
        await relations(dir.file('combined-elsewhere')),
      );
    },
  );
}
