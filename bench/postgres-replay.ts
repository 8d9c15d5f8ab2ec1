import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { restoreCommand } from '../src/source/postgres/setup/commands.ts';
import { debianPackages } from '../test/servers/debian.ts';
import { giveToServer } from '../test/servers/postgres-user.ts';
import { startPostgresVersion } from '../test/servers/postgres-versions.ts';
import { archivingScene, until } from '../test/support/archiving-scene.ts';
import { runOk } from '../test/support/run-program.ts';
import { PgBackRest } from './postgres/pgbackrest.ts';
import { median } from './results.ts';

/**
 * How fast PostgreSQL 15 replays a log: the same copy of a data directory recovers over the same segments by `cp` from a
 * folder, by the restore_command that `postgres setup` prints, by pgBackRest 2.45 with archive-async, and by Holdfast itself
 * in `restore --latest`, in turns. As root, so that the server can run as another user.
 */
const { values } = parseArgs({
  options: { segments: { type: 'string', default: '60' }, rounds: { type: 'string', default: '3' } },
});
const [wanted, rounds] = [Number(values.segments), Number(values.rounds)];
const packages = await debianPackages('pgbackrest-debian12', ['pgbackrest']);
await using scene = await archivingScene({
  major: '15',
  log: 'to: { near: { window: 14d } }',
  settings: ['wal_keep_size=8GB', 'max_wal_size=8GB', 'checkpoint_timeout=1h'],
});
const { server, dir } = scene;
const cache = await folder('cache');
const held = await folder('held');
const peer = await PgBackRest.make(scene, join(packages, 'usr/bin/pgbackrest'), await folder('pgbackrest'));

await server.sql('create table orders (id int, what text)');
await server.sql('insert into orders select n, md5(n::text) from generate_series(1, 400000) n');
await server.sql('checkpoint');
await scene.run('backup', 'shop-db');
const copied = dir.file('base');
await server.stop();
await runOk('cp', ['-a', server.data, copied]);
const { segments, content } = await write();

const found = new Map<string, number[]>();
for (let round = 0; round < rounds; round++) {
  await measure('cp', () => `cp ${held}/%f %p`);
  await measure('holdfast, archive-get', holdfast);
  await measure('pgBackRest, async', (data) => peer.restoreCommand(data));
  await restore();
}
report();

async function folder(name: string): Promise<string> {
  const path = dir.file(name);
  mkdirSync(path);
  await giveToServer(path);
  return path;
}

/** Rows all over a table, one by one: a log of whole pages, as after each checkpoint, is replayed in no time. */
async function write(): Promise<{ readonly segments: number; readonly content: string }> {
  await using production = await scene.restart();
  const status = join(server.data, 'pg_wal/archive_status');
  const before = readdirSync(status).length;
  for (let round = 0; readdirSync(status).length - before < wanted; round++) {
    await production.sql(`update orders set what = md5(what) where id % 4 = ${round % 4}`);
  }
  await production.sql('select pg_switch_wal()');
  const isDone = async (): Promise<boolean> => (await scene.ready()).length === 0;
  await until('Holdfast has all of the log', isDone, 20 * 60_000);
  const names = readdirSync(join(server.data, 'pg_wal')).filter((name) => /^[0-9A-F]{24}$/.test(name));
  const done = names.filter((name) => readdirSync(status).includes(`${name}.done`)).toSorted();
  for (const name of done) {
    const path = join(server.data, 'pg_wal', name);
    await runOk('cp', [path, held]);
    await peer.push(path);
  }
  for (const name of done) await giveToServer(join(held, name));
  const [sum = ''] = await production.sql("select md5(string_agg(what, '' order by id)) from orders");
  return { segments: done.length, content: sum };
}

function holdfast(): string {
  const options = ['--config', dir.file('holdfast.yaml')];
  const command = restoreCommand('shop-db', {
    stateFolder: dir.file('state'),
    program: { path: scene.program, options },
  });
  return `export XDG_CACHE_HOME=${cache}; ${command}`;
}

/** To the end of the log; the segments that stand in the copy itself are removed, so that each is asked for. */
async function measure(name: string, command: (data: string) => string): Promise<void> {
  const data = `${copied}-${name.replaceAll(/\W+/g, '-')}`;
  rmSync(data, { recursive: true, force: true });
  await runOk('cp', ['-a', '--reflink=auto', copied, data]);
  writeFileSync(join(data, 'recovery.signal'), '');
  await giveToServer(join(data, 'recovery.signal'));
  const settings = ['archive_mode=off', 'autovacuum=off', 'max_wal_size=8GB', 'checkpoint_timeout=1h'];
  const from = performance.now();
  {
    await using copy = await startPostgresVersion({
      ...{ major: '15', data },
      settings: [...settings, `restore_command=${command(data)}`],
    });
    const isOver = async (): Promise<boolean> => (await copy.sql('select pg_is_in_recovery()'))[0] === 'false';
    await until(`${name} has recovered`, isOver, 20 * 60_000);
    note(name, (performance.now() - from) / 1000);
    const [sum = ''] = await copy.sql("select md5(string_agg(what, '' order by id)) from orders");
    if (sum !== content) throw new Error(`${name} did not replay all of the log`);
  }
  rmSync(data, { recursive: true, force: true });
}

/** By the server that Holdfast starts and feeds; what it says of the replay alone counts, as of the others. */
async function restore(): Promise<void> {
  const target = await folder('restored');
  const { code, stdout, stderr } = await scene.run('restore', 'shop-db', '--latest', '--target', target, '--json');
  const seconds = /"message_type":"replay".*"replay":([0-9.]+)/.exec(stdout.toString())?.[1];
  if (code !== 0 || seconds === undefined) throw new Error(stderr);
  note('holdfast, restore', Number(seconds));
  rmSync(target, { recursive: true, force: true });
}

function note(name: string, seconds: number): void {
  found.getOrInsert(name, []).push(segments / seconds);
}

function report(): void {
  const load = loadavg()
    .map((one) => one.toFixed(1))
    .join(' ');
  console.log(
    `${segments} segments of 16 MiB, ${rounds} rounds, ${cpus().length} processors, load at the end ${load}\n`,
  );
  console.log('| restore_command | segments a second |\n| --- | --- |');
  for (const [name, perSecond] of found) console.log(`| ${name} | ${median(perSecond).toFixed(1)} |`);
  const speed = (name: string): number => median(found.get(name) ?? []);
  const times = (of: string, than: string): string => (speed(than) / speed(of)).toFixed(2);
  for (const name of ['holdfast, archive-get', 'holdfast, restore'])
    console.log(
      `\n${name}: ${times(name, 'pgBackRest, async')} of pgBackRest’s time (≤ 0.8), ${times(name, 'cp')} of that of cp (≤ 1.15)`,
    );
}
