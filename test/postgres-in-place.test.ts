import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { plural } from '../src/cli/format.ts';
import { isFullBudget } from './budget.ts';
import { postgresPrograms } from './servers/postgres-program.ts';
import { startPostgresVersion, withoutPostgresVersions, type PostgresMajor } from './servers/postgres-versions.ts';
import { until, type ArchivingScene } from './support/archiving-scene.ts';
import { archived, contentsOf, idsOf, isOurs, killAt, ok, withTablespace } from './support/in-place-scene.ts';
import { writeLedger } from './support/ledger.ts';
import { mounted, withoutMounts } from './support/mounting.ts';
import { proveForVersion } from './support/postgres-matrix.ts';
import { runOk } from './support/run-program.ts';

const skip = withoutPostgresVersions();

/** From now on the policy stops the server, as a crash would, and keeps a copy of what it left; resolves with where. */
async function stoppedByPolicy({ dir, server }: ArchivingScene, major: PostgresMajor): Promise<string> {
  const copy = dir.file('as-it-was');
  const stop = `${await postgresPrograms(major)}/pg_ctl -D ${server.data} -m immediate stop`;
  await writeFile(dir.file('stop'), `#!/bin/sh\n[ -e ${copy} ] || { ${stop} && cp -a ${server.data} ${copy}; }\n`);
  await writeFile(dir.file('start'), `#!/bin/sh\necho start >> ${dir.file('started')}\n`);
  for (const word of ['stop', 'start']) await chmod(dir.file(word), 0o755);
  const around = `    restore: { stop: ${dir.file('stop')}, start: ${dir.file('start')} }\n`;
  await appendFile(dir.file('holdfast.yaml'), around);
  return copy;
}

test(
  'what was committed last, and stored nowhere yet, is back after a restore in place; an undo brings the old bytes back',
  { skip },
  async () => {
    await using scene = await archived('15');
    const { server, dir } = scene;
    await writeLedger(server, [3, 4, 5], 99);
    await scene.switchLog();
    await until('the segment is stored', async () => (await scene.ready()).length === 0);
    await writeLedger(server, [6, 7], 99);
    const refused = await scene.run('restore', 'shop-db', '--in-place');
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, /a server runs in .* \(process \d+\)/);
    await appendFile(join(server.data, 'pg_hba.conf'), '# of now\n');
    const asItWas = await stoppedByPolicy(scene, '15');
    const notYet = await scene.run('restore', 'shop-db', '--in-place', '--name', 'not_yet');
    assert.match(notYet.stderr, /stop it, or have it store that while it runs \(`select pg_switch_wal\(\)`\)/);
    const said = await ok(scene, 'restore', 'shop-db', '--in-place');
    assert.match(said, /afterwards: `holdfast backup shop-db` at once/);
    assert.match(said, /replayed: .*; the last transaction ended at .*; it goes on as timeline 2/);
    assert.equal(await readFile(dir.file('started'), 'utf8'), 'start\n');
    assert.match(await readFile(join(server.data, 'pg_hba.conf'), 'utf8'), /# of now\n$/);
    {
      await using back = await scene.restart();
      assert.equal(await idsOf(back), '1 2 3 4 5 6 7', said);
      assert.deepEqual(await back.sql('show archive_mode'), ['on']);
      await back.sql('insert into orders values (8)');
      await back.sql('select pg_switch_wal()');
      await until('the new timeline is stored by the grant that it was given', async () =>
        scene.withStore('near', async (store) => {
          const { histories, segments } = await store.list();
          return histories.includes(2) && segments.some(({ epoch }) => epoch === 2);
        }),
      );
      const early = await scene.run('undo');
      assert.match(early.stderr + early.stdout.toString(), /take-over: not undone .*a server runs in/);
      await back.sql('insert into orders values (9)');
      await back.stop();
    }
    await ok(scene, 'undo');
    const { pieces } = await scene.withStore('near', async (store) => await store.list());
    assert.equal(
      pieces.some(({ segment }) => segment.epoch === 2),
      true,
      'what was committed since is in the log at least',
    );
    assert.deepEqual(await contentsOf(server.data), await contentsOf(asItWas));
    assert.equal(existsSync(dir.file('state/grants/shop-db.json')), true);
    await using old = await scene.restart();
    assert.equal(await idsOf(old), '1 2 3 4 5 6 7');
    if (isFullBudget) await assertFollowsTheLiving(scene, old.url);
    await old.stop();
    await assertRefusedAtOnce(scene);
    // What was undone is the newest by number, and was stored last.
    const again = await ok(scene, 'restore', 'shop-db', '--in-place', '--dry-run');
    assert.match(again, /timeline 1 is followed: it is the one that stands there; not followed: 2\n/);
    const elsewhere = await ok(scene, 'restore', 'shop-db', '--latest', '--target', dir.file('to'), '--dry-run');
    assert.match(elsewhere, /timeline 1 is followed: an undo went back to it; not followed: 2\n/);
  },
);

async function assertFollows(major: PostgresMajor, scene: ArchivingScene): Promise<void> {
  const { server, dir } = scene;
  const words = ['restore', 'shop-db', '--as-standby', '--target', dir.file('standby')];
  const { code, stdout, stderr } = await scene.run(
    ...words,
    '--tablespace',
    `${dir.file('here')}=${dir.file('there')}`,
  );
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /can’t be asked which timeline/);
  const said = stdout.toString();
  assert.match(said, /next: start it as the user of the server: `.*pg_ctl -D .*standby\/shop-db\/data/);
  await using standby = await startPostgresVersion({ major, data: dir.file('standby/shop-db/data') });
  assert.deepEqual(await standby.sql('show archive_mode'), ['off']);
  const streaming = "select count(*) from pg_stat_wal_receiver where status = 'streaming'";
  await until('it streams', async () => (await standby.sql(streaming))[0] === '1');
  await writeLedger(server, [6], 99);
  await until('the row has come', async () => (await idsOf(standby)) === '1 2 3 4 5 6');
  assert.deepEqual(await standby.sql('select pg_is_in_recovery()'), ['true']);
  await standby.stop();
}

/** A crash left its file, and the policy’s own words say that nothing runs: no restore comes before that is told. */
async function assertRefusedAtOnce({ server, dir, run }: ArchivingScene): Promise<void> {
  const [policy, left] = [dir.file('holdfast.yaml'), join(server.data, 'postmaster.pid')];
  const before = await readFile(policy, 'utf8');
  await writeFile(policy, before.replace(/start \}\n$/, 'start, running: "/bin/false" }\n'));
  await writeFile(left, '4000000\n');
  const { code, stdout, stderr } = await run('restore', 'shop-db', '--in-place');
  assert.equal(code, 1, stderr);
  assert.match(stderr, /process 4000000 can’t be seen from here[^]*remove .*postmaster\.pid/);
  assert.doesNotMatch(stdout.toString(), /restore-0/);
  await rm(left);
  await writeFile(policy, before);
}

/** The log holds a higher timeline that was undone. */
async function assertFollowsTheLiving(scene: ArchivingScene, url: string): Promise<void> {
  await writeFile(scene.dir.file('url'), url);
  const said = await ok(scene, 'restore', 'shop-db', '--as-standby', '--target', scene.dir.file('standby'));
  assert.match(said, /timeline 1 is followed: the primary is on it; not followed: 2\n/);
  assert.match(said, /next: it follows timeline 1 alone/);
  await using standby = await startPostgresVersion({ major: '15', data: scene.dir.file('standby/shop-db/data') });
  assert.deepEqual(await standby.sql('show recovery_target_timeline'), ['1']);
  const streaming = "select count(*) from pg_stat_wal_receiver where status = 'streaming'";
  await until('it streams', async () => (await standby.sql(streaming))[0] === '1');
  assert.equal(await idsOf(standby), '1 2 3 4 5 6 7');
  await standby.stop();
}

/** From now on the policy keeps no log. */
async function forgetLog({ dir }: ArchivingScene): Promise<void> {
  const policy = await readFile(dir.file('holdfast.yaml'), 'utf8');
  await writeFile(dir.file('holdfast.yaml'), policy.replace(/^ *log: .*\n/m, ''));
}

/** By its backup, for want of a log. */
async function assertComesBackAlone(scene: ArchivingScene): Promise<void> {
  await forgetLog(scene);
  assert.match(await ok(scene, 'restore', 'shop-db', '--in-place'), /comes back up to its own end/);
  await using alone = await scene.restart();
  assert.equal(await idsOf(alone), '1 2');
  await alone.stop();
}

const goesOn =
  'killed in its steps, a restore in place goes on, tablespaces and all, and nothing starts meanwhile; before, a standby is made of the same backup, and follows';
const allSteps = ['restore-0', 'rescue', 'withhold', 'replay', 'switch-1', 'switch-0', 'take-over'];
const ofMajors: readonly (readonly [PostgresMajor, readonly string[]])[] = isFullBudget
  ? [
      ['14', ['replay']],
      ['15', ['restore-0']],
      ['16', ['switch-0']],
      ['17', ['take-over']],
      ['18', allSteps],
    ]
  : [['18', ['replay']]];

for (const [major, killed] of ofMajors)
  test(major === '18' ? goesOn : `PostgreSQL ${major}: ${goesOn}`, { skip }, async (context) => {
    await using scene = await archived(major, withTablespace);
    const { server, dir } = scene;
    await writeLedger(server, [3, 4, 5], 99);
    await scene.switchLog();
    await until('the segment is stored', async () => (await scene.ready()).length === 0);
    await assertFollows(major, scene);
    await server.sql('insert into far select generate_series(1, 1000)');
    await server.sql("select pg_create_restore_point('only_here')");
    await server.sql('delete from far');
    await server.stop();
    const control = join(server.data, 'global/pg_control');
    const refused = await scene.run('restore', 'shop-db', '--in-place', '--name', 'nowhere');
    assert.equal(refused.code, 2, refused.stderr);
    assert.equal(existsSync(control) && !(await readdir(dirname(server.data))).some(isOurs), true);
    let kills = 0;
    for (const step of killed) {
      if (await killAt(scene, step, ['restore', 'shop-db', '--in-place', '--name', 'only_here'])) kills += 1;
      const mayBeThere = ['restore-0', 'rescue', 'withhold', 'take-over'].includes(step);
      assert.ok(mayBeThere || !existsSync(control), `${step}: a server could be started`);
    }
    // The last kill may come just behind the last step: then there is nothing to go on with.
    const last = await scene.run('restore', 'shop-db', '--in-place', '--name', 'only_here');
    assert.ok(last.code === 0 || last.stderr.includes('that plan waits (finished)'), last.stderr);
    if (last.code === 0) assert.match(last.stdout.toString(), /afterwards: `holdfast backup shop-db` at once/);
    await using back = await scene.restart();
    assert.equal(await idsOf(back), '1 2 3 4 5 6');
    assert.deepEqual(await back.sql('select count(*) from far'), ['1000']);
    const place = "select pg_tablespace_location(oid) from pg_tablespace where spcname = 'far'";
    assert.deepEqual(await back.sql(place), [dir.file('here')]);
    await back.stop();
    await ok(scene, 'confirm');
    const beside = [...(await readdir(dirname(server.data))), ...(await readdir(dir.file('here')))];
    assert.deepEqual(beside.filter(isOurs), []);
    if (isFullBudget) await assertComesBackAlone(scene);
    const claim = 'a restore in place that is killed in its steps goes on, tablespaces and all';
    proveForVersion(context, major, { claim, column: 'in place', count: plural(kills, 'kill') });
  });

/** A disk of its own becomes the data directory of a server that doesn't run. */
async function movedToDisk({ server }: ArchivingScene): Promise<AsyncDisposable> {
  await rename(server.data, `${server.data}.before`);
  await mkdir(server.data);
  const mount = await mounted(server.data);
  await runOk('cp', ['-a', `${server.data}.before/.`, server.data]);
  return mount;
}

if (isFullBudget)
  test(
    'a data directory that is a disk of its own is restored in place by what it holds, and comes back by an undo',
    { skip: skip || withoutMounts() },
    async () => {
      const disks = new AsyncDisposableStack();
      await using scene = await archived('15', async (made) => {
        await mkdir(made.dir.file('here'));
        disks.use(await mounted(made.dir.file('here')));
        await withTablespace(made);
      });
      await using _disks = disks.move();
      const { server, dir } = scene;
      await server.sql('insert into far select generate_series(1, 100000)');
      await ok(scene, 'backup', 'shop-db');
      await server.stop();
      await using _mount = await movedToDisk(scene);
      const before = await contentsOf(server.data);
      const sized = async (size: string): Promise<unknown> =>
        await runOk('mount', ['-o', `remount,size=${size}`, dir.file('here')]);
      await sized('6m');
      const full = await scene.run('restore', 'shop-db', '--in-place', '--latest');
      assert.match(full.stderr, /4 MiB are needed in .*\/here, and \d MiB are free/);
      await sized('50%');
      const said = await ok(scene, 'restore', 'shop-db', '--in-place', '--latest');
      assert.match(said, /disk of .*\/here: 3\.\d+ MiB too/);
      {
        await using back = await scene.restart();
        assert.equal(await idsOf(back), '1 2');
        assert.deepEqual(await back.sql('select count(*) from far'), ['100000']);
        await writeFile(dir.file('url'), back.url);
        await ok(scene, 'backup', 'shop-db');
        const [kept = assert.fail()] = (await readdir(server.data)).filter((name) => name.includes('.holdfast-'));
        await ok(scene, 'restore', 'shop-db', '--target', dir.file('since'));
        assert.equal(existsSync(join(server.data, kept, 'kept/base')), true);
        assert.equal(existsSync(dir.file(`since/shop-db/data/${kept}`)), false, 'no backup takes it along');
        await back.stop();
      }
      await ok(scene, 'undo');
      assert.deepEqual(await contentsOf(server.data), before);
      await ok(scene, 'restore', 'shop-db', '--in-place', '--delta', '--without-undo', '--immediate');
      assert.deepEqual(
        (await readdir(server.data)).filter((name) => name.includes('.holdfast')),
        [],
      );
      await using over = await scene.restart();
      assert.equal(await idsOf(over), '1 2');
      await over.stop();
    },
  );
