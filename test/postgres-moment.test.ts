import assert from 'node:assert/strict';
import { chmod, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { postgresPrograms } from './servers/postgres-program.ts';
import { startPostgresVersion, withoutPostgresVersions, type PostgresServer } from './servers/postgres-versions.ts';
import { extentNamed, logOf, walOf } from './support/postgres-log.ts';
import { shopScene, startCopy } from './support/postgres-scene.ts';
import { tempDir } from './support/temp-dir.ts';
import type { Scene } from './support/verifying.ts';

const skip = withoutPostgresVersions();

const log = '    log: { mode: archive, to: { near: { window: 14d } } }';

/** What was committed, as somebody outside wrote it down. */
interface Entry {
  readonly id: number;
  /** Where the log stood before its commit, and behind. */
  readonly before: string;
  readonly after: string;
}

async function write(shop: PostgresServer, ids: readonly number[]): Promise<readonly Entry[]> {
  const ledger: Entry[] = [];
  for (const id of ids) {
    const [before = ''] = await shop.sql('select pg_current_wal_insert_lsn()');
    await shop.sql(`insert into orders values (${id}, repeat('x', 1000))`);
    const [after = ''] = await shop.sql('select pg_current_wal_insert_lsn()');
    ledger.push({ id, before, after });
    if (id % 4 === 0) await shop.sql('select pg_switch_wal()');
  }
  return ledger;
}

async function store(folder: string, shop: PostgresServer): Promise<void> {
  await using held = await logOf(folder, shop);
  for (const { name, bytes } of await walOf(shop, '000000010000000000000001'))
    await held.store.put(extentNamed(name), bytes, { facts: {} });
}

async function idsIn(major: '15' | '18', scene: Scene, folder: string): Promise<readonly string[]> {
  await using copy = await startCopy(major, scene.file(folder, 'shop-db', 'data'));
  return await copy.sql('select id from orders order by id');
}

for (const major of ['15', '18'] as const) {
  test(
    `PostgreSQL ${major}: a cluster comes back to the latest of its log, and to positions in it, with just what was committed`,
    { skip },
    async () => {
      await using shop = await startPostgresVersion({ major, settings: ['autovacuum=off', 'wal_keep_size=1GB'] });
      await shop.sql('create table orders (id int, what text)');
      await using dir = await tempDir();
      await chmod(dir.path, 0o755);
      const options = `programs: [${await postgresPrograms(major)}]`;
      const scene = await shopScene(dir.path, shop.url, { options, more: log });
      await write(shop, [1, 2]);
      await scene.ok('backup', 'shop-db');
      const ledger = await write(shop, [3, 4, 5, 6, 7, 8, 9]);
      await shop.sql('select pg_switch_wal()');
      await store(dir.path, shop);

      const said = await scene.ok('restore', 'shop-db', '--latest', '--target', dir.file('latest'));
      assert.match(said, /replayed: at the end of the log/);
      assert.deepEqual(await idsIn(major, scene, 'latest'), ['1', '2', '3', '4', '5', '6', '7', '8', '9']);

      const at = ledger.find(({ id }) => id === 6);
      await scene.ok('restore', 'shop-db', '--lsn', at?.before ?? '', '--exclusive', '--target', dir.file('before'));
      assert.deepEqual(await idsIn(major, scene, 'before'), ['1', '2', '3', '4', '5']);
      await scene.ok('restore', 'shop-db', '--lsn', at?.after ?? '', '--exclusive', '--target', dir.file('after'));
      assert.deepEqual(await idsIn(major, scene, 'after'), ['1', '2', '3', '4', '5', '6']);

      const auto = await readFile(dir.file('after', 'shop-db', 'data', 'postgresql.auto.conf'), 'utf8');
      assert.match(auto, /^archive_mode = 'off'$/m);
      assert.equal(existsSync(dir.file('after', 'shop-db', '.holdfast')), false);
    },
  );
}
