import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { isFullBudget } from './budget.ts';
import { smallSegments } from './servers/postgres-program.ts';
import { postgresMajors, startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import type { PostgresMajor, PostgresServer } from './servers/postgres-versions.ts';
import { withoutRestic } from './servers/restic.ts';
import { proveLargeRelation } from './support/large-relation.ts';
import { proveForVersion } from './support/postgres-matrix.ts';
import { databaseFiles, folderFor, restoreByRestic, shopScene, startCopy } from './support/postgres-scene.ts';
import { prove } from './support/proof.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutPostgresVersions() || withoutRestic('0.19.1');

async function startShop(major: PostgresMajor): Promise<PostgresServer & { readonly elsewhere: string }> {
  const databases = isFullBudget ? ({ databases: 'all' } as const) : {};
  const server = await startPostgresVersion({
    major,
    initdb: smallSegments,
    settings: ['autovacuum=off', 'wal_level=replica'],
    ...databases,
  });
  const elsewhere = await folderFor(server, 'elsewhere');
  await server.sql(`create tablespace elsewhere location '${elsewhere}'`);
  await server.sql(`
    create table orders as select n as id, repeat(md5(n::text), 10) as what from generate_series(1, 5000) n;
    create unlogged table scratch as select 1 as id;
    create table far (id int, what text) tablespace elsewhere;
    insert into far select n, md5(n::text) from generate_series(1, 5000) n`);
  await server.sql('create database second template postgres');
  await server.sql('create table things (id int); insert into things values (7)', 'second');
  return { ...server, elsewhere };
}

const content = 'select count(*), md5(string_agg(id || what, chr(10) order by id)) from';

for (const major of isFullBudget ? postgresMajors : (['18'] as const)) {
  test(
    `PostgreSQL ${major}: restic alone restores a backup that starts beside production, which stays as it is`,
    { skip },
    async (context) => {
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
      const claim = 'restic alone restores a backup by the protocol, which starts beside production';
      proveForVersion(context, major, { claim, column: 'by the protocol', count: '1 restore' });
    },
  );
}

async function mebibytesBelow(folder: string): Promise<number> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((one) => one.isFile());
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20;
}

const mebibytesASecond = 4;

// Each takes ten seconds, and nothing but the time tells what the server makes of it.
for (const major of isFullBudget ? postgresMajors : [])
  test(
    `PostgreSQL ${major}: a backup with max-rate takes at least what its bytes take at that rate, and starts`,
    { skip },
    async (context) => {
      await using shop = await startShop(major);
      await using dir = await tempDir();
      const scene = await shopScene(dir.path, shop.url, { options: `max-rate: ${mebibytesASecond}` });
      const startMs = systemClock.monotonicMs();
      await scene.ok('backup', 'shop-db');
      const seconds = (systemClock.monotonicMs() - startMs) / 1000;
      const data = await restoreByRestic(scene, shop.running.dir.file('copy'));
      const mebibytes = await mebibytesBelow(data);
      // The server counts by eighths of a second, and sleeps whole milliseconds.
      const atLeast = 0.99 * (mebibytes / mebibytesASecond - 1 / 8);
      assert.ok(atLeast > 5 && seconds >= atLeast, `${mebibytes} MiB in ${seconds} s`);
      await using copy = await startCopy(major, data);
      for (const table of ['orders', 'far'])
        assert.deepEqual(await copy.sql(`${content} ${table}`), await shop.sql(`${content} ${table}`));
      const shown = `${mebibytes.toFixed(1)} MiB in ${seconds.toFixed(1)} s at ${mebibytesASecond} MiB a second`;
      prove(context, { claim: `PostgreSQL ${major}: max-rate holds a backup back`, count: shown });
    },
  );

// It is of gibibytes.
if (isFullBudget)
  test(
    'a relation of several files is backed up whole, by what changed, and on its host, and verified',
    { skip },
    proveLargeRelation,
  );
