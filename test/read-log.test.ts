import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { giveToServer } from './servers/postgres-user.ts';
import { smallSegments } from './servers/postgres-program.ts';
import { startPostgresVersion, withoutPostgresVersions, type PostgresServer } from './servers/postgres-versions.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { logOf, walOf } from './support/postgres-log.ts';
import { restoreByRestic, shopScene, startCopy } from './support/postgres-scene.ts';
import { runOk } from './support/run-program.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutPostgresVersions() || withoutRestic('0.19.1');
const reader = join(import.meta.dirname, '../examples/read-log/read-log.mjs');

test('the published reader has at most 100 lines, and needs nothing but Node', async () => {
  const text = await readFile(reader, 'utf8');
  assert.ok(text.trimEnd().split('\n').length <= 100);
  const imports = text.match(/from '[^']+'/g) ?? assert.fail();
  assert.ok(imports.every((one) => one.startsWith("from 'node:")));
});

test(
  'with restic and the published reader alone a cluster comes back up to the last piece of its log',
  { skip },
  async () => {
    await using shop = await startPostgresVersion({
      major: '15',
      initdb: smallSegments,
      settings: ['autovacuum=off', 'wal_keep_size=1GB'],
    });
    await using dir = await tempDir();
    const scene = await shopScene(dir.path, shop.url);
    await shop.sql('create table orders (id int)');
    await scene.ok('backup', 'shop-db');
    const [first = ''] = await shop.sql('select pg_walfile_name(pg_current_wal_lsn())');
    for (const id of [1, 2, 3]) {
      await shop.sql(`insert into orders values (${id})`);
      if (id < 3) await shop.sql('select pg_switch_wal()');
    }
    await store(dir.path, shop, first);
    const folder = shop.running.dir.file('plain');
    const masterKey = await resticOk('0.19.1', { repository: scene.file('near'), password: 'secret' }, [
      'cat',
      'masterkey',
    ]);
    await runOk(process.execPath, [reader, scene.file('near'), 'shop-db', folder], { input: masterKey });
    const [stream = ''] = await readdir(folder);
    for (const { name, bytes } of (await walOf(shop, first)).slice(0, -1))
      assert.ok((await readFile(join(folder, stream, name))).equals(bytes), name);
    const data = await restoreByRestic(scene, shop.running.dir.file('copy'));
    await recoverFrom(join(folder, stream), data);
    await using copy = await startCopy('15', data);
    while ((await copy.sql('select pg_is_in_recovery()'))[0] !== 'false') await systemClock.sleep(20);
    assert.deepEqual(await copy.sql('select id from orders order by 1'), ['1', '2', '3']);
  },
);

test('the published reader refuses what was changed, and what stands under the name of another', { skip }, async () => {
  await using shop = await startPostgresVersion({ major: '15', initdb: smallSegments });
  await using dir = await tempDir();
  const scene = await shopScene(dir.path, shop.url);
  await shop.sql('select pg_switch_wal()');
  const [first = ''] = await shop.sql('select pg_walfile_name(pg_current_wal_lsn())');
  await shop.sql('create table orders (id int); select pg_switch_wal(); create table more (id int)');
  await store(dir.path, shop, first);
  const masterKey = await resticOk('0.19.1', { repository: scene.file('near'), password: 'secret' }, [
    'cat',
    'masterkey',
  ]);
  const read = async (): Promise<unknown> =>
    await runOk(process.execPath, [reader, scene.file('near'), 'shop-db', dir.file('plain')], { input: masterKey });
  await read();
  const open = scene.file('near', 'holdfast', 'open', 'shop-db');
  const files = (await readdir(open, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
  const [another = '', , last = ''] = files.map(({ parentPath, name }) => join(parentPath, name)).toSorted();
  const bytes = await readFile(last);
  await writeFile(last, await readFile(another));
  await assert.rejects(read(), /holds the content of/);
  await writeFile(last, bytes.with(20, (bytes[20] ?? 0) ^ 1));
  await assert.rejects(read(), /is damaged/);
});

/** Segments as far as they are whole, and two overlapping pieces of the one that is written now. */
async function store(folder: string, shop: PostgresServer, first: string): Promise<void> {
  await using log = await logOf(folder, shop);
  const [written = ''] = await shop.sql("select pg_current_wal_flush_lsn() - '0/0'::pg_lsn");
  const wal = await walOf(shop, first);
  for (const { extent, bytes } of wal.slice(0, -1)) await log.store.put(extent, bytes, { facts: {} });
  const open = wal.at(-1) ?? assert.fail();
  await log.store.putLeft({ epoch: open.extent.epoch + 1, at: open.extent.to }, 'restored in place, and undone');
  const segment = open.extent;
  const [end, half] = [BigInt(written), segment.from + (BigInt(written) - segment.from) / 2n];
  const part = (from: bigint, to: bigint): Uint8Array =>
    open.bytes.subarray(Number(from - segment.from), Number(to - segment.from));
  for (const [from, to] of [
    [segment.from, half],
    [segment.from, half + 8n],
    [half, end],
  ] as const)
    await log.store.putPiece({ segment, from, to }, part(from, to));
}

async function recoverFrom(folder: string, data: string): Promise<void> {
  await mkdir(join(data, 'pg_wal'), { recursive: true });
  await runOk('chmod', ['-R', 'a+rX', join(folder, '..')]);
  await appendFile(join(data, 'postgresql.auto.conf'), `restore_command = 'cp ${folder}/%f %p'\n`);
  await writeFile(join(data, 'recovery.signal'), '');
  await giveToServer(join(data, 'recovery.signal'));
}
