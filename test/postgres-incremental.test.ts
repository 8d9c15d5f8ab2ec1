import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32c, crc32cText } from '../src/bytes/crc32c.ts';
import { giveToServer } from './servers/postgres-user.ts';
import { startPostgresVersion, withoutPostgresVersions, type PostgresServer } from './servers/postgres-versions.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { isFullBudget } from './budget.ts';
import { databaseFiles, restoreByRestic, shopScene, startCopy } from './support/postgres-scene.ts';
import type { Scene } from './support/verifying.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutPostgresVersions() || withoutRestic('0.19.1');

const content = 'select count(*), md5(string_agg(id || what, chr(10) order by id)) from orders';

async function startShop(major: '17' | '18'): Promise<PostgresServer & { readonly elsewhere: string }> {
  const server = await startPostgresVersion({ major, settings: ['autovacuum=off', 'summarize_wal=on'] });
  const elsewhere = server.running.dir.file('elsewhere');
  await mkdir(elsewhere);
  await giveToServer(elsewhere);
  await server.sql(`create tablespace elsewhere location '${elsewhere}'`);
  await server.sql(`
    create table orders as select n as id, repeat(md5(n::text), 10) as what from generate_series(1, 20000) n;
    create index on orders (id);
    create table shrinking as select n as id, repeat('x', 500) as what from generate_series(1, 20000) n;
    create table gone (id int);
    create table far (id int, what text) tablespace elsewhere;
    insert into far select n, md5(n::text) from generate_series(1, 5000) n`);
  return { ...server, elsewhere };
}

/** Pages changed here and there, a table grown, one that was cut short and grew again, one dropped, one new. */
async function change(shop: PostgresServer): Promise<void> {
  await shop.sql(`
    update orders set what = 'changed' where id % 3000 = 7;
    insert into orders select n, md5(n::text) from generate_series(20001, 23000) n;
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
    async () => {
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
    },
  );
}

test('what the server can’t tell, or the policy does not want, is sent as a whole', { skip }, async () => {
  await using shop = await startPostgresVersion({ major: '18', settings: ['autovacuum=off'] });
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
