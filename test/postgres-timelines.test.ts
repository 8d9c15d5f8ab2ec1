import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFullBudget } from './budget.ts';
import { postgresPrograms } from './servers/postgres-program.ts';
import { giveToServer } from './servers/postgres-user.ts';
import { startPostgresVersion, withoutPostgresVersions, type PostgresServer } from './servers/postgres-versions.ts';
import { archivingScene, until, type ArchivingScene } from './support/archiving-scene.ts';
import { startCopy } from './support/postgres-scene.ts';
import { runOk } from './support/run-program.ts';

const major = '18';
const settings = ['archive_mode=on', 'autovacuum=off'];

/** Starts a server on a data directory that has no log but its own: it takes the next number that it knows to be free. */
async function startPromoted(data: string): Promise<PostgresServer> {
  await writeFile(join(data, 'recovery.signal'), '');
  await giveToServer(join(data, 'recovery.signal'));
  const promoted = await startPostgresVersion({ major, data, settings: [...settings, 'restore_command=false'] });
  await until('it is promoted', async () => (await promoted.sql('select pg_is_in_recovery()'))[0] === 'false');
  return promoted;
}

async function addRow({ sql }: PostgresServer, id: number): Promise<void> {
  await sql(`insert into orders values (${id})`);
  await sql('select pg_switch_wal()');
}

/** The policy with a second component, for what is promoted beside the first. */
async function twoComponents({ dir }: ArchivingScene, url: string): Promise<void> {
  const policy = await readFile(dir.file('holdfast.yaml'), 'utf8');
  const programs = `programs: [${await postgresPrograms(major)}]`;
  const one = policy.replace('postgres: {', `postgres: { ${programs},`);
  const [, component = ''] = one.split('components:\n');
  await writeFile(dir.file('url-2'), url);
  const second = component.replace('shop-db:', 'shop-db-2:').replace(dir.file('url'), dir.file('url-2'));
  await writeFile(dir.file('holdfast.yaml'), `${one}${second}`);
}

async function idsOf({ run, dir }: ArchivingScene, component: string): Promise<string> {
  const restored = await run('restore', component, '--latest', '--target', dir.file(`back-${component}`));
  assert.equal(restored.code, 0, restored.stderr);
  await using copy = await startCopy(major, dir.file(`back-${component}`, component, 'data'));
  return (await copy.sql('select id from orders order by id')).join(' ');
}

/** It would wait for more, half a minute. */
async function workerEnds({ workerPid }: ArchivingScene): Promise<void> {
  const pid = await workerPid();
  if (pid === undefined) return;
  process.kill(pid, 'SIGTERM');
  await until('the worker has ended', async () => (await workerPid()) === undefined);
}

async function epochsIn({ withStore, ownRepositories }: ArchivingScene) {
  const { histories, segments } = await withStore('near', async (store) => await store.list());
  await ownRepositories();
  return { histories, newest: segments.at(-1) };
}

test(
  'two promotions to the same timeline number: the second is refused with both named, and goes on under a name of its own',
  { skip: withoutPostgresVersions() },
  async () => {
    await using scene = await archivingScene({ major, log: 'to: { near: { window: 14d } }' });
    const { run, server, dir } = scene;
    await server.sql('create table orders (id int)');
    assert.equal((await run('backup', 'shop-db')).code, 0);
    await addRow(server, 1);
    await server.stop();
    const other = `${server.data}-other`;
    await runOk('cp', ['-a', server.data, other]);
    {
      await using production = await scene.restart();
      await addRow(production, 2);
    }
    {
      await using first = await startPromoted(server.data);
      await addRow(first, 3);
      await until('its log is stored', async () => (await scene.ready()).length === 0);
    }
    await workerEnds(scene);
    const { newest: stored } = await epochsIn(scene);
    await using second = await startPromoted(other);
    await writeFile(dir.file('url'), second.url);
    const adopted = await run('postgres', 'setup', 'shop-db', '--apply', '--adopt', other);
    assert.match(adopted.stdout.toString(), /grant/, adopted.stderr);
    await addRow(second, 4);
    const named =
      /timeline 2 of cluster \d+ stands in near as another server wrote it \(it left timeline 1 at 0\/\w+\); the server of .*-other writes one of the same number \(it left timeline 1 at 0\/\w+\): both were promoted to it/;
    await until('it is refused', async () => named.test(second.running.output()));
    assert.deepEqual(await second.sql('select archived_count from pg_stat_archiver'), ['0']);
    assert.match(second.running.output(), /give the other a component of its own[^]*log-timeline-taken/);

    assert.deepEqual(await epochsIn(scene), { histories: [2], newest: stored });
    if (!isFullBudget) return;
    await workerEnds(scene);
    await twoComponents(scene, second.url);
    const anew = await run('postgres', 'setup', 'shop-db-2', '--apply', '--replace-archiving', '--adopt', other);
    assert.equal(anew.code, 0, anew.stdout.toString() + anew.stderr);
    assert.equal((await run('backup', 'shop-db-2')).code, 0);
    await addRow(second, 5);
    await until(
      'its log is stored',
      async () => Number((await second.sql('select archived_count from pg_stat_archiver'))[0]) > 1,
    );
    assert.equal(await idsOf(scene, 'shop-db-2'), '1 4 5');
    assert.equal(await idsOf(scene, 'shop-db'), '1 2 3');
  },
);
