import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { isFullBudget } from './budget.ts';
import { errorCode } from '../src/host/system-error.ts';
import { processIsAlive } from '../src/host/users.ts';
import { historiesIn } from '../src/source/postgres/stream/history.ts';
import { postgresPrograms } from './servers/postgres-program.ts';
import { asServer, giveToServer } from './servers/postgres-user.ts';
import {
  startPostgresVersion,
  withoutPostgresVersions,
  type PostgresMajor,
  type PostgresServer,
} from './servers/postgres-versions.ts';
import { testAtMajors } from './support/at-majors.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { writeLedger, type Entry } from './support/ledger.ts';
import { until } from './support/archiving-scene.ts';
import { backedUp, idsIn, shopSettings, storeLog } from './support/moment-scene.ts';
import { logOf } from './support/postgres-log.ts';
import { databaseFiles, folderFor, startCopy } from './support/postgres-scene.ts';
import { runOk, runProgram } from './support/run-program.ts';
import type { Scene } from './support/verifying.ts';

const skip = withoutPostgresVersions();

const used = new AsyncDisposableStack();
after(async () => await used.disposeAsync());

interface Stored {
  readonly scene: Scene;
  readonly ledger: readonly Entry[];
}

/** Rows 1 to 10, of which the log has those from 3 on, in many segments. */
async function makeStored(major: PostgresMajor): Promise<Stored> {
  const check = '{ name: last, sql: "select max(id) from orders", equals: 4 }';
  const made = used.use(await backedUp(major, 'there', `    verify: [{ every: 1d, checks: [${check}] }]`));
  const ledger = await writeLedger(made.shop, [3, 4, 5, 6, 7, 8, 9, 10], 1);
  await storeLog(made);
  return { scene: made.scene, ledger };
}

const allStored = new Map<PostgresMajor, Promise<Stored>>();
/** What tests restore from and verify, each by itself. */
const stored = async (major: PostgresMajor): Promise<Stored> =>
  await allStored.getOrInsertComputed(major, async () => await makeStored(major));

testAtMajors(
  'after a promotion the new timeline comes back, and the abandoned one by its number',
  { sample: '15', skip },
  async (major) => {
    await using made = await backedUp(major);
    const { scene, shop } = made;
    await writeLedger(shop, [3, 4, 5]);
    await shop.stop();
    const copied = shop.running.dir.file('promoted');
    await runOk('cp', ['-a', shop.data, copied]);
    await writeFile(join(copied, 'standby.signal'), '');
    await giveToServer(join(copied, 'standby.signal'));
    {
      await using abandoned = await startPostgresVersion({ major, data: shop.data, settings: shopSettings });
      await writeLedger(abandoned, [20, 21]);
      await storeLog({ scene, shop: abandoned });
    }
    await using promoted = await startPostgresVersion({ major, data: copied, settings: shopSettings });
    await promoted.sql('select pg_promote()');
    await writeLedger(promoted, [6, 7]);
    await storeLog({ scene, shop: promoted }, 2);
    {
      await using log = await logOf(scene.file(), promoted);
      const bytes = await readFile(join(copied, 'pg_wal/00000002.history'));
      for (const history of historiesIn(2, bytes)) await log.store.putHistory(history);
    }
    assert.match(await scene.ok('restore', 'shop-db', '--latest', '--target', scene.file('new')), /timeline 1 → 2/);
    assert.equal(await idsIn(major, scene, 'new'), '1 2 3 4 5 6 7');
    await scene.ok('restore', 'shop-db', '--latest', '--timeline', '1', '--target', scene.file('old'));
    assert.equal(await idsIn(major, scene, 'old'), '1 2 3 4 5 20 21');
    await assertNeedsHistory(scene, promoted);
  },
);

/** Without whence a timeline comes, nobody passes over it in silence. */
async function assertNeedsHistory(scene: Scene, { sql }: PostgresServer): Promise<void> {
  const [stream = ''] = await sql('select system_identifier from pg_control_system()');
  const path = scene.file('near/holdfast/log/shop-db', stream, '00000002/history');
  const latest = async () =>
    await scene.run('restore', 'shop-db', '--latest', '--dry-run', '--target', scene.file('no'));
  const whole = await readFile(path);
  await writeFile(path, whole.subarray(0, whole.length - 20));
  const cut = await latest();
  assert.deepEqual([cut.code, /\(damaged: /.test(cut.stderr)], [1, true], cut.stderr);
  await rm(path);
  const gone = await latest();
  assert.match(gone.stderr, /timeline 2 is held too, and is not followed/);
  assert.match(gone.stdout.toString(), /timeline 1$/m);
  if (!isFullBudget) return;
  const verified = await scene.verified('shop-db', '--latest');
  assert.deepEqual([verified.code, verified.all[0]?.state], [5, 'could not verify'], JSON.stringify(verified.all));
}

testAtMajors(
  'a log that makes a tablespace is not replayed past it, nor is anything touched',
  { sample: '15', skip },
  async (major) => {
    await using made = await backedUp(major);
    const { scene, shop } = made;
    const [before = ''] = (await writeLedger(shop, [3])).map(({ after }) => after);
    const elsewhere = await folderFor(shop, 'elsewhere');
    await shop.sql(`create tablespace elsewhere location '${elsewhere}'`);
    await writeLedger(shop, [4]);
    await storeLog(made);
    const { code, stderr } = await scene.run('restore', 'shop-db', '--latest', '--target', scene.file('no'));
    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes(`a tablespace is made in ${elsewhere}`), stderr);
    assert.equal(existsSync(scene.file('no')), false);
    await scene.ok('restore', 'shop-db', '--lsn', before, '--exclusive', '--target', scene.file('yes'));
    assert.equal(await idsIn(major, scene, 'yes'), '1 2 3');
  },
);

test(
  'without programs of its major a moment is left prepared, and comes by the command that is told',
  { skip },
  async () => {
    await using made = await backedUp('18', 'missing');
    const { scene, shop } = made;
    const ledger = await writeLedger(shop, [3, 4, 5, 6]);
    await storeLog(made);
    const words = ['restore', 'shop-db', '--xid', ledger[2]?.xid ?? '', '--target', scene.file('prepared')];
    const { code, stdout } = await scene.run(...words);
    assert.equal(code, 1);
    assert.match(stdout.toString(), /no programs of PostgreSQL 18[^]*postgres -D .*prepared\/shop-db\/data/);
    assert.equal(await idsIn('18', scene, 'prepared'), '1 2 3 4 5');
  },
);

testAtMajors(
  'a moment is verified in the sandbox: the log is fed to it, and the checks of the policy are asked then',
  { sample: '15', skip },
  async (major) => {
    const { scene, ledger } = await stored(major);
    const moments = [
      [['--xid', ledger[1]?.xid ?? ''], 0, '4'],
      [['--latest'], 4, '10'],
    ] as const;
    for (const [words, code, found] of moments.slice(0, isFullBudget ? 2 : 1)) {
      const verified = await scene.verified('shop-db', ...words);
      const checks = verified.all[0]?.checks ?? [];
      assert.equal(verified.code, code, JSON.stringify(verified.all));
      assert.equal(checks.find(({ name }) => name === 'last')?.found, found);
      assert.match(checks.find(({ name }) => name === 'replay')?.found ?? '', /^stopping .*, the last record at 0\//);
    }
  },
);

testAtMajors(
  'a tablespace is put elsewhere where that is said, and production’s stays as it is',
  { sample: '15', skip },
  async (major) => {
    await using made = await backedUp(major);
    const { scene, shop } = made;
    const [here, there] = [await folderFor(shop, 'here'), shop.running.dir.file('there')];
    await shop.sql(`create tablespace far location '${here}'`);
    await shop.sql('create table far (id int) tablespace far');
    await scene.ok('backup', 'shop-db');
    await shop.sql('insert into far select generate_series(1, 1000)');
    await storeLog(made);
    await shop.sql('checkpoint');
    const before = await databaseFiles([here]);
    const words = ['restore', 'shop-db', '--latest', '--target'] as const;
    const used = await scene.run(...words, scene.file('moved'), '--tablespace', `${here}=${here}`);
    assert.match(used.stderr, /is not empty: a cluster may use it/);
    assert.equal(existsSync(scene.file('moved')), false);
    await scene.ok(...words, scene.file('moved'), '--tablespace', `${here}=${there}`);
    {
      await using copy = await startCopy(major, scene.file('moved', 'shop-db/data'));
      const place = "select pg_tablespace_location(oid) from pg_tablespace where spcname = 'far'";
      assert.deepEqual(await copy.sql(place), [there]);
      assert.deepEqual(await copy.sql('select count(*) from far'), ['1000']);
      await copy.sql('delete from far');
      await copy.sql('vacuum far');
      await copy.sql('checkpoint');
    }
    assert.deepEqual(await databaseFiles([here]), before);
    const unknown = await scene.run(...words, scene.file('no'), '--tablespace', `/nowhere=${there}2`);
    assert.match(unknown.stderr, /has no tablespace at \/nowhere; it has .*here/);
    assert.equal(existsSync(scene.file('no/shop-db/data/global/pg_control')), false);
  },
);

/** Runs the program on a scene and kills it as soon as a file is there; whether it came to that before its end. */
async function killedAt(scene: Scene, args: readonly string[], path: string): Promise<boolean> {
  const own = ['--cache-dir', scene.file('cache'), '--state-dir', scene.file('state')];
  const env = { PATH: process.env['PATH'] ?? '', HOME: scene.file() };
  const child = spawn(holdfastProgram, [...own, ...args], { cwd: scene.file(), env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  while (child.exitCode === null && !existsSync(path)) await systemClock.sleep(2);
  child.kill('SIGKILL');
  await ended;
  return child.signalCode === 'SIGKILL';
}

/** A server that has just begun writes its PID a moment after it made the file. */
async function gone(pidFile: string): Promise<void> {
  const isThere = async (): Promise<boolean> => {
    const text = await readFile(pidFile, 'utf8').catch((error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error;
    });
    const [pid = ''] = text?.split('\n') ?? [];
    return text !== undefined && (pid === '' || processIsAlive(Number(pid)));
  };
  await until('the server has ended with who started it', async () => !(await isThere()));
}

testAtMajors(
  'what a kill leaves of a moment can’t be started, and no server stays behind',
  { sample: '15', skip },
  async (major) => {
    const { scene } = await stored(major);
    const programs = await postgresPrograms(major);
    const kills = [
      ['half', 'base'],
      ['unreplayed', 'postmaster.pid'],
    ] as const;
    for (const [folder, seen] of kills.slice(isFullBudget ? 0 : 1)) {
      const data = scene.file(folder, 'shop-db/data');
      const words = ['restore', 'shop-db', '--latest', '--target', scene.file(folder)];
      for (let times = 1; !(await killedAt(scene, words, join(data, seen))); times++) {
        assert.ok(times < 4, 'it ended before it could be killed');
        await rm(scene.file(folder), { recursive: true });
      }
      await gone(join(data, 'postmaster.pid'));
      assert.equal(existsSync(join(data, 'global/pg_control')), folder === 'unreplayed');
      const [program, ...args] = asServer([
        join(programs, 'postgres'),
        '-D',
        data,
        '-c',
        'port=1',
        '-c',
        'listen_addresses=',
      ]);
      const { code, stderr } = await runProgram(program, args, { timeoutMs: 60_000 });
      assert.notEqual(code, 0);
      assert.match(stderr, folder === 'half' ? /could not/ : /must specify "?restore_command|could not/);
      const again = await scene.run(...words);
      assert.equal(again.code, folder === 'half' ? 0 : 1, again.stderr);
      if (folder === 'half') assert.equal(await idsIn(major, scene, folder), '1 2 3 4 5 6 7 8 9 10');
      else assert.match(again.stderr, /a cluster stands in this folder/);
    }
  },
);
