import assert from 'node:assert/strict';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFullBudget } from './budget.ts';
import { processIsAlive } from '../src/host/users.ts';
import { parseLsn } from '../src/source/postgres/lsn.ts';
import { readSidecar } from '../src/source/postgres/wal/sidecar.ts';
import { giveToServer } from './servers/postgres-user.ts';
import { withoutPostgresVersions } from './servers/postgres-versions.ts';
import { archived, archivingScene, until, type ArchivingScene } from './support/archiving-scene.ts';
import { testAtMajors } from './support/at-majors.ts';
import { walOf } from './support/postgres-log.ts';

const skip = withoutPostgresVersions();
const kills = isFullBudget ? 4 : 2;
const window = '{ window: 14d }';

/** Some MiB of log in many transactions. */
async function load({ server }: ArchivingScene, rounds: number): Promise<void> {
  await server.sql('create table if not exists orders (id int, what text)');
  await server.sql(
    `do $$ begin for n in 1..${rounds} loop insert into orders select n, md5(random()::text) from generate_series(1, 400);
     commit; end loop; end $$`,
  );
}

/** SIGKILL; it may have ended, as the next push finds out. */
async function killWorker(scene: ArchivingScene): Promise<void> {
  const pid = await scene.workerPid();
  if (pid !== undefined && processIsAlive(pid)) process.kill(pid, 'SIGKILL');
}

/** Every segment of the server up to `last` is held as the server wrote it, without a hole. */
async function assertHeld(scene: ArchivingScene, repository: string, last: string): Promise<number> {
  return await scene.withStore(repository, async (store) => {
    const { segments } = await store.list();
    const wal = (await walOf(scene.server, '000000010000000000000001')).filter(({ name }) => name <= last);
    assert.ok(wal.length > 0);
    for (const { name, bytes } of wal) {
      const extent = scene.extent(name);
      assert.ok(Buffer.from(await store.get(extent)).equals(bytes), name);
      const about = await store.about(extent);
      assert.equal(readSidecar(about?.facts ?? {}, name).summary.start, extent.from);
    }
    assert.ok(segments.every(({ from }, index) => index === 0 || segments[index - 1]?.to === from));
    return segments.length;
  });
}

async function holds(scene: ArchivingScene, repository: string, name: string): Promise<boolean> {
  const { from } = scene.extent(name);
  return await scene.withStore(repository, async (store) => {
    const { segments } = await store.list();
    return segments.some((one) => one.from === from);
  });
}

/** The server asks no more, until it is let again; the test does in its place. */
async function stopArchiver({ server: { sql } }: ArchivingScene): Promise<() => Promise<void>> {
  const [command = ''] = await sql('show archive_command');
  const set = async (to: string): Promise<void> => {
    await sql(`alter system set archive_command = $command$${to}$command$`);
    await sql('select pg_reload_conf()');
  };
  await set('/bin/false');
  return async () => await set(command);
}

async function handOver({ server: { data } }: ArchivingScene, name: string, bytes: Uint8Array): Promise<void> {
  const files = [join(data, 'pg_wal', name), join(data, 'pg_wal/archive_status', `${name}.ready`)];
  for (const [index, file] of files.entries()) {
    await writeFile(file, index === 0 ? bytes : '');
    await giveToServer(file);
  }
}

function changedAt(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
  return changed;
}

testAtMajors(
  'under load each segment is stored as the server wrote it, with what it tells of it, and none is refused',
  { sample: '15', skip },
  async (major) => {
    await using scene = await archivingScene({
      major,
      log: `to: { near: ${window} }`,
      initdb: ['-k'], // segments of 16 MiB, as most have them
      settings: ['wal_keep_size=1GB'],
    });
    await load(scene, 450);
    const last = await scene.switchLog();
    await archived(scene.server, last);
    assert.ok((await assertHeld(scene, 'near', last)) >= 2);
    assert.deepEqual(await scene.server.sql('select failed_count from pg_stat_archiver'), ['0']);
  },
);

testAtMajors(
  'a worker and a push that are killed lose nothing: markers of before are not believed',
  { sample: '18', skip },
  async (major) => {
    await using scene = await archivingScene({
      major,
      log: `to: { near: ${window} }`,
      settings: ['wal_keep_size=1GB'],
    });
    await load(scene, 60);
    await archived(scene.server, await scene.switchLog());
    await killWorker(scene);
    // As if it had been killed between the marker of a segment to come and its storing, in a folder that was not wiped.
    const [next = ''] = await scene.server.sql('select pg_walfile_name(pg_current_wal_lsn() + 6 * 1024 * 1024)');
    await writeFile(join(await scene.spool(), `${next}.ok`), '');
    for (let count = 0; count < kills; count++) {
      await load(scene, 40);
      await scene.switchLog();
      await killWorker(scene);
    }
    let last = await scene.switchLog();
    while (last <= next) {
      await load(scene, 40);
      last = await scene.switchLog();
    }
    await archived(scene.server, last);
    await assertHeld(scene, 'near', last);
  },
);

testAtMajors(
  'a place that fails holds up the server alone, until it is taken out of the policy: others get all at once, and it gets all when it is back',
  { sample: '18', skip },
  async (major) => {
    await using scene = await archivingScene({
      major,
      log: `to: { near: ${window}, far: ${window}, third: { window: 14d, required: false } }`,
      settings: ['wal_keep_size=1GB'],
    });
    await load(scene, 5);
    await archived(scene.server, await scene.switchLog());
    for (const name of ['far', 'third']) await rename(scene.dir.file(name), scene.dir.file(`${name}-away`));
    await load(scene, 5);
    const last = await scene.switchLog();
    await until('the other place has it', async () => await holds(scene, 'near', last));
    const refused = await scene.run('postgres', 'archive-push', 'shop-db', `pg_wal/${last}`);
    assert.ok(refused.code === 1 || refused.code === 10, refused.stderr); // it was open already, or is opened anew
    assert.match(refused.stderr, /shop-db: .*far/);
    assert.ok((await scene.ready()).includes(`${last}.ready`));
    for (const name of ['far', 'third']) await rename(scene.dir.file(`${name}-away`), scene.dir.file(name));
    const more = await scene.switchLog(); // wakes the server's archiver, which pauses after it has failed
    await archived(scene.server, more);
    await until('the place that nobody waits for is filled', async () => await holds(scene, 'third', last));
    await until('and to its end', async () => await holds(scene, 'third', more));
    for (const repository of ['near', 'far', 'third']) await assertHeld(scene, repository, more);

    await rename(scene.dir.file('far'), scene.dir.file('far-away'));
    const late = await scene.switchLog();
    await until('the other place has it', async () => await holds(scene, 'near', late));
    const policy = await readFile(scene.dir.file('holdfast.yaml'), 'utf8');
    const without = policy.replace(`far: ${window}, `, '').replace(', required: false', '');
    await writeFile(scene.dir.file('holdfast.yaml'), without);
    await archived(scene.server, late);
    for (const repository of ['near', 'third']) await assertHeld(scene, repository, late);
  },
);

testAtMajors(
  'what stands in the way is said by the push, in words for the server’s log and without a secret',
  { sample: '18', skip },
  async (major) => {
    await using scene = await archivingScene({ major, log: `to: { near: ${window} }` });
    const push = async (name: string) => await scene.run('postgres', 'archive-push', 'shop-db', `pg_wal/${name}`);
    const refused = async (name: string, code: number, what: RegExp): Promise<void> => {
      const { code: ended, stderr } = await push(name);
      assert.equal(ended, code, stderr);
      assert.match(stderr, what);
      assert.doesNotMatch(stderr, /another-secret/);
    };
    const letArchive = await stopArchiver(scene);
    await writeFile(scene.dir.file('password'), 'another-secret');
    const first = await scene.switchLog();
    await refused(first, 12, /^holdfast: shop-db: /);
    await writeFile(scene.dir.file('password'), 'secret');
    if (!isFullBudget) await killWorker(scene); // which tries again by itself after a quarter of a minute
    await letArchive();
    await archived(scene.server, await scene.switchLog());

    const bytes = await readFile(join(scene.server.data, 'pg_wal', first));
    const ready = (name: string): string => join(scene.server.data, 'pg_wal/archive_status', `${name}.ready`);
    await stopArchiver(scene);
    await handOver(scene, first, changedAt(bytes, 9000));
    await refused(first, 1, /two clusters write one log/);
    await scene.withStore('near', async (store) => {
      assert.ok(Buffer.from(await store.get(scene.extent(first))).equals(bytes));
    });
    await rm(ready(first));
    const other = '0000000100000000000000F0';
    const foreign = Buffer.from(bytes);
    foreign.writeBigUInt64LE(scene.extent(other).from, 8);
    foreign.writeBigUInt64LE(77n, 24);
    for (const [content, what] of [
      [bytes, /another part of the log.*renamed/],
      [foreign, /is of another cluster, 77/],
      [Buffer.alloc(bytes.length), /filled with zeros/],
    ] as const) {
      await handOver(scene, other, content);
      await refused(other, 1, what);
    }
    await rm(ready(other));
    await refused('postmaster.pid', 1, /no file of PostgreSQL's log/);

    await handOver(scene, first, bytes);
    await killWorker(scene);
    for (const name of ['spool', 'grants'])
      await rename(scene.dir.file('state', name), scene.dir.file('state', `${name}-away`));
    await refused(first, 1, /no grant/);
    await rename(scene.dir.file('state/grants-away'), scene.dir.file('state/grants'));
    await writeFile(scene.dir.file('state/spool'), 'in its way');
    await refused(first, 1, /the spool .* can't be used/);
    await rm(scene.dir.file('state/spool'));
    const policy = await readFile(scene.dir.file('holdfast.yaml'), 'utf8');
    await writeFile(scene.dir.file('holdfast.yaml'), policy.replace(/ {4}log: .*\n/, ''));
    await refused(first, 1, /the policy wants no archive of the log of shop-db/);
    await writeFile(scene.dir.file('holdfast.yaml'), policy);
    assert.equal((await push(first)).code, 0);
  },
);

testAtMajors(
  'a promotion is stored whole: the last segment of the old timeline, its history, and the first of the new one',
  { sample: '18', skip },
  async (major) => {
    await using scene = await archivingScene({ major, log: `to: { near: ${window} }` });
    await load(scene, 5);
    await archived(scene.server, await scene.switchLog());
    await load(scene, 5);
    await scene.server.stop();
    await writeFile(join(scene.server.data, 'standby.signal'), '');
    await using again = await scene.restart();
    await again.sql('select pg_promote()');
    await again.sql('create table after ()');
    await until('the new timeline is archived', async () => {
      await again.sql('select pg_switch_wal()');
      const [name = ''] = await again.sql('select last_archived_wal from pg_stat_archiver');
      return name.startsWith('00000002') && !name.endsWith('history');
    });
    await scene.withStore('near', async (store) => {
      const { partials, pieces, histories, segments } = await store.list();
      assert.deepEqual(histories, [2]);
      assert.equal((await store.getHistory(2)).parent, 1);
      assert.equal(partials.length, 1);
      assert.deepEqual(
        pieces.map(({ segment, to }) => [segment, to]),
        [[partials[0], (await store.getHistory(2)).forkedAt]],
        'what was written of it, up to where the new timeline forks',
      );
      assert.ok(segments.some(({ epoch, from }) => epoch === 2 && from === partials[0]?.from));
    });
  },
);

/** What `snapshots --points` tells of a log in a repository. */
type Shown = readonly {
  readonly repository?: string;
  readonly ranges?: readonly { readonly from: string; readonly to: string }[];
}[];

testAtMajors(
  'beyond push-queue-max what waits is dropped as a gap with its name, told where it is missing, and a base backup is made behind it',
  { sample: '18', skip },
  async (major) => {
    await using scene = await archivingScene({
      major,
      log: `push-queue-max: 2MiB, to: { near: ${window}, far: ${window} }`,
    });
    const move = async (from: string, to: string): Promise<void> => {
      for (const name of ['near', 'far']) await rename(scene.dir.file(name + from), scene.dir.file(name + to));
    };
    assert.equal((await scene.run('backup', 'shop-db')).code, 0);
    await archived(scene.server, await scene.switchLog());
    await move('', '-away');
    const lost = [await scene.switchLog(), await scene.switchLog(), await scene.switchLog()];
    await archived(scene.server, lost[2] ?? '');
    await move('-away', '');
    await archived(scene.server, await scene.switchLog());
    const expected = { epoch: 1, from: scene.extent(lost[0] ?? '').from, to: scene.extent(lost[2] ?? '').to };
    for (const repository of ['near', 'far'])
      await scene.withStore(repository, async (store) => {
        const gaps = async () => (await store.list()).gaps;
        await until('the gap is told', async () => (await gaps()).length > 0);
        assert.deepEqual(await gaps(), [expected]);
        assert.match(await store.gapReason(expected), /push-queue-max/);
      });
    const said = async (file: string): Promise<string> =>
      await readFile(scene.dir.file('state/spool/shop-db', file), 'utf8');
    await until(
      'a base backup is owed no more',
      async () => !(await readdir(await scene.spool())).includes('base-due'),
    );
    assert.match(await said('worker.log'), /3 segments from \w+ on were dropped.*a base backup is due/);
    assert.match(await said('worker.log'), /a base backup by the rule full is started/);
    const { mode } = await stat(scene.dir.file('state/spool/shop-db/base-backup.log'));
    assert.equal(mode & 0o777, 0o600);
    const shown = async (...words: readonly string[]): Promise<string> => (await scene.run(...words)).stdout.toString();
    assert.doesNotMatch(await shown('status', 'shop-db'), /DUE/);
    const all = JSON.parse(await shown('snapshots', 'shop-db', '--points', '--json')) as Shown;
    const [before, behind, ...more] = all.find(({ repository }) => repository === 'near')?.ranges ?? [];
    assert.equal(parseLsn(before?.to ?? ''), expected.from);
    assert.ok(parseLsn(behind?.from ?? '') > expected.to);
    assert.equal(more.length, 0);
    assert.match(await shown('records', '--component', 'shop-db', '--json'), /"action":"base-backup-started"/);
  },
);
