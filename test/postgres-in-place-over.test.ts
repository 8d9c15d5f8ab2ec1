import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, readlink, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { plural } from '../src/cli/format.ts';
import { isFullBudget } from './budget.ts';
import { withoutPostgresVersions, type PostgresMajor } from './servers/postgres-versions.ts';
import { until, type ArchivingScene } from './support/archiving-scene.ts';
import { archived, contentsOf, idsOf, isOurs, killAt, ok, withTablespace } from './support/in-place-scene.ts';
import { writeLedger } from './support/ledger.ts';
import { proveForVersion } from './support/postgres-matrix.ts';

const skip = withoutPostgresVersions();

const over = ['restore', 'shop-db', '--in-place', '--delta', '--without-undo'] as const;

interface Spoilt {
  /** Files of which nothing has changed since the backup. */
  readonly equal: readonly string[];
  /** A file that is nobody's. */
  readonly extra: string;
}

/** Rows 1 to 5 and a point in the log that only pg_wal has; then production is spoilt, and stopped. */
async function spoilt({ server, dir, switchLog, ready }: ArchivingScene): Promise<Spoilt> {
  await writeLedger(server, [3, 4, 5], 99);
  await switchLog();
  await until('the segment is stored', async () => (await ready()).length === 0);
  await server.sql('insert into far select generate_series(1, 1000)');
  await server.sql("select pg_create_restore_point('only_here')");
  await server.sql('create table afterwards as select generate_series(1, 1000); delete from far');
  await server.sql('vacuum full orders');
  const catalogs = "'pg_proc', 'pg_operator', 'pg_collation', 'pg_ts_dict', 'pg_aggregate'";
  const files = await server.sql(`select pg_relation_filepath(c) from unnest(array[${catalogs}]::regclass[]) c`);
  const [damaged = '', ...equal] = files.map((path) => join(server.data, path));
  const extra = join(dirname(damaged), '999999');
  await server.stop();
  await writeFile(extra, 'of nobody');
  await writeFile(join(server.data, 'own.txt'), 'mine');
  await writeFile(join(dir.file('here'), (await readdir(dir.file('here')))[0] ?? '', 'nobody'), 'of nobody');
  await damage(damaged);
  return { equal, extra };
}

/** Another byte in a file, which has its size and times still. */
async function damage(path: string): Promise<void> {
  const { atime, mtime } = await stat(path);
  const bytes = await readFile(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 0xff;
  await writeFile(path, bytes);
  await utimes(path, atime, mtime);
}

async function inodesOf(paths: readonly string[]): Promise<readonly number[]> {
  return await Promise.all(paths.map(async (path) => (await stat(path)).ino));
}

/** What every start of a server may write anew. */
const isFleeting = (path: string): boolean => /pg_internal\.init$|pg_control$/.test(path);

async function relationsOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = [...(await contentsOf(join(folder, 'base'))), ...(await contentsOf(join(folder, 'global')))];
  return new Map(files.filter(([path]) => !isFleeting(path)).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Its pg_wal stands on another disk from now on, as far as anybody sees. */
async function logElsewhere({ server, dir }: ArchivingScene): Promise<void> {
  await rename(join(server.data, 'pg_wal'), dir.file('log'));
  await symlink(dir.file('log'), join(server.data, 'pg_wal'));
}

/** A plan for another moment is killed while its log is replayed, and given up: only another of its sort goes on. */
async function givenUp(scene: ArchivingScene): Promise<void> {
  await killAt(scene, 'replay', [...over, '--immediate']);
  const other = await scene.run(...over, '--name', 'only_here');
  assert.match(other.stderr, /a plan is under way/);
  assert.match(await ok(scene, 'undo'), /Given up/);
  await assert.rejects(scene.restart(), 'a server was started');
  const beside = await scene.run('restore', 'shop-db', '--in-place', '--name', 'only_here');
  assert.match(beside.stderr, /was restored over in part/);
  // As the server of the replay leaves it when the power is cut.
  await writeFile(join(scene.server.data, 'postmaster.pid'), '999999999\n');
}

const restoredOver =
  'a cluster is restored over what is there: what differs is written, what is equal stays, what is none of it goes, and nothing is kept';
const kills: readonly (readonly [PostgresMajor, readonly string[]])[] = isFullBudget
  ? [
      ...(['14', '15', '16', '17'] as const).map((one) => [one, ['replay']] as const),
      ['18', ['withhold', 'rescue', 'reachable', 'over', 'replay', 'take-over']],
    ]
  : [['18', []]];

for (const [major, steps] of kills)
  test(major === '18' ? restoredOver : `PostgreSQL ${major}: ${restoredOver}`, { skip }, async (context) => {
    await using scene = await archived(major, withTablespace);
    const { server, dir } = scene;
    if (isFullBudget) assert.match((await scene.run(...over)).stderr, /a server runs in/);
    const { equal, extra } = await spoilt(scene);
    const inodes = await inodesOf(equal);
    const refused = await scene.run(...over.slice(0, -1));
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, /no undo brings it back/);
    assert.match(await ok(scene, ...over, '--dry-run', '--immediate'), /nothing is kept: there is no undo/);
    const words = [...over, '--name', 'only_here'];
    if (major === '17') await logElsewhere(scene);
    if (steps.length > 1) await givenUp(scene);
    let kills = 0;
    for (const step of steps) {
      if (await killAt(scene, step, words)) kills += 1;
      if (step !== 'take-over') await assert.rejects(scene.restart(), `${step}: a server was started`);
    }
    const last = await scene.run(...words);
    assert.equal(last.code, 0, last.stderr + last.stdout.toString());
    assert.deepEqual(await inodesOf(equal), inodes);
    assert.equal(existsSync(extra), false);
    if (major === '17') assert.equal(await readlink(join(server.data, 'pg_wal')), dir.file('log'));
    assert.equal(await readFile(join(server.data, 'own.txt'), 'utf8'), 'mine');
    const beside = [...(await readdir(dirname(server.data))), ...(await readdir(dir.file('here')))];
    assert.deepEqual(beside.filter(isOurs), []);
    await ok(scene, 'restore', 'shop-db', '--name', 'only_here', '--target', dir.file('elsewhere'));
    const elsewhere = dir.file('elsewhere/shop-db/data');
    assert.deepEqual(await relationsOf(server.data), await relationsOf(elsewhere));
    {
      await using back = await scene.restart();
      assert.equal(await idsOf(back), '1 2 3 4 5');
      assert.deepEqual(await back.sql('select count(*) from far'), ['1000']);
      assert.deepEqual(await back.sql('show archive_mode'), ['on']);
      const place = "select pg_tablespace_location(oid) from pg_tablespace where spcname = 'far'";
      assert.deepEqual(await back.sql(place), [dir.file('here')]);
      await back.sql('insert into orders values (6)');
      await back.sql('select pg_switch_wal()');
      await until('the new timeline is stored by the grant that it had', async () =>
        scene.withStore('near', async (store) => (await store.list()).segments.some(({ epoch }) => epoch === 2)),
      );
      await back.stop();
    }
    const undone = await scene.run('undo');
    assert.match(undone.stderr, /no plan of this host is open/);
    await rm(dir.file('elsewhere'), { recursive: true });
    const claim = 'a cluster is restored over what is there, killed in its steps';
    proveForVersion(context, major, {
      claim,
      column: 'in place, over what is there',
      count: plural(kills, 'kill'),
    });
  });
