import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { giveToServer } from './servers/postgres-user.ts';
import { postgresMajors, startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import type { PostgresMajor, PostgresServer } from './servers/postgres-versions.ts';
import { withoutRestic } from './servers/restic.ts';
import { databaseFiles, restoreByRestic, shopScene, startCopy } from './support/postgres-scene.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutPostgresVersions() || withoutRestic('0.19.1');

async function startShop(major: PostgresMajor): Promise<PostgresServer & { readonly elsewhere: string }> {
  const server = await startPostgresVersion({ major, settings: ['autovacuum=off', 'wal_level=replica'] });
  const elsewhere = server.running.dir.file('elsewhere');
  await mkdir(elsewhere);
  await giveToServer(elsewhere);
  await server.sql(`create tablespace elsewhere location '${elsewhere}'`);
  await server.sql(`
    create table orders as select n as id, repeat(md5(n::text), 10) as what from generate_series(1, 20000) n;
    create unlogged table scratch as select 1 as id;
    create table far (id int, what text) tablespace elsewhere;
    insert into far select n, md5(n::text) from generate_series(1, 5000) n`);
  await server.sql('create database second');
  await server.sql('create table things (id int); insert into things values (7)', 'second');
  return { ...server, elsewhere };
}

const content = 'select count(*), md5(string_agg(id || what, chr(10) order by id)) from';

for (const major of postgresMajors) {
  test(
    `PostgreSQL ${major}: restic alone restores a backup that starts beside production, which stays as it is`,
    { skip },
    async () => {
      await using shop = await startShop(major);
      await using dir = await tempDir();
      const scene = await shopScene(dir.path, shop.url);
      const said = await scene.ok('backup', 'shop-db');
      assert.doesNotMatch(said, /warning/i);
      const data = await restoreByRestic(scene, shop.running.dir.file('copy'));
      await shop.sql('checkpoint');
      const folders = [join(shop.data, 'base'), join(shop.data, 'pg_tblspc'), shop.elsewhere];
      const before = await databaseFiles(folders);
      await using copy = await startCopy(major, data);
      for (const table of ['orders', 'far'])
        assert.deepEqual(await copy.sql(`${content} ${table}`), await shop.sql(`${content} ${table}`));
      assert.deepEqual(await copy.sql('select id from things', 'second'), ['7']);
      assert.deepEqual(await copy.sql('select count(*) from scratch'), ['0'], 'an unlogged table comes back empty');
      await copy.sql('delete from far');
      await copy.sql('vacuum far');
      await copy.sql('checkpoint');
      assert.deepEqual(await databaseFiles(folders), before);
      assert.deepEqual(await shop.sql('select count(*) from far'), ['5000']);
    },
  );
}
