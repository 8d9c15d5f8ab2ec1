import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { debianPackages } from '../test/servers/debian.ts';
import { giveToServer } from '../test/servers/postgres-user.ts';
import { archivingScene, until } from '../test/support/archiving-scene.ts';
import { PgBackRest } from './postgres/pgbackrest.ts';
import { median } from './results.ts';

/**
 * How fast a server hands over a log that waits: PostgreSQL 15's own archiver runs the archive_command that `postgres setup`
 * writes, beside cp and pgBackRest 2.45 with archive-async, each on the same segments, in turns. Told are segments a second,
 * and how long the shell of one segment took in the middle. As root, so that the server can run as another user.
 */
const { values } = parseArgs({
  options: { segments: { type: 'string', default: '200' }, rounds: { type: 'string', default: '3' } },
});
const [wanted, rounds] = [Number(values.segments), Number(values.rounds)];
const packages = await debianPackages('pgbackrest-debian12', ['pgbackrest']);
await using scene = await archivingScene({
  major: '15',
  log: 'to: { near: { window: 14d } }',
  settings: ['wal_keep_size=8GB', 'max_wal_size=8GB'],
});
const { server, dir } = scene;
const [ours = ''] = await server.sql('show archive_command');
const wal = join(server.data, 'pg_wal');
const status = join(wal, 'archive_status');

/** Whoever runs a server has a home, and with it compiled code of the program from its second start on. */
const cache = await emptied('cache');
const found = new Map<string, { readonly perSecond: number[]; readonly shellMs: number[] }>();
await archiveBy('');
await fill();
for (let round = 0; round < rounds; round++) {
  await measure('cp', async () => `cp %p ${await emptied('cp')}/%f`);
  await measure('holdfast', async () => await emptyLog());
  await measure('pgBackRest, async', pgBackRest);
}
report();

async function archiveBy(command: string): Promise<void> {
  await server.sql(`alter system set archive_command = '${command.replaceAll("'", "''")}'`);
  await server.sql('select pg_reload_conf()');
}

async function fill(): Promise<void> {
  await server.sql('create table orders (id int, what text)');
  while (ready().length < wanted)
    await server.sql('insert into orders select n, md5(random()::text) from generate_series(1, 300000) n');
}

function ready(): readonly string[] {
  return readdirSync(status).filter((name) => name.endsWith('.ready'));
}

async function emptied(name: string): Promise<string> {
  const folder = dir.file(`to-${name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  await giveToServer(folder);
  return folder;
}

async function emptyLog(): Promise<string> {
  for (const path of [dir.file('near/holdfast'), dir.file('state/spool')])
    rmSync(path, { recursive: true, force: true });
  return ours;
}

/** Into a repository that is new each time. */
async function pgBackRest(): Promise<string> {
  const peer = await PgBackRest.make(scene, join(packages, 'usr/bin/pgbackrest'), await emptied('pgbackrest'));
  return peer.archiveCommand;
}

/** Hands everything over again by another command. */
async function measure(name: string, prepare: () => Promise<string>): Promise<void> {
  await archiveBy('');
  for (const file of readdirSync(status).filter((one) => one.endsWith('.done')))
    renameSync(join(status, file), join(status, file.replace(/\.done$/, '.ready')));
  const command = await prepare();
  const times = dir.file(`times-${name.replaceAll(/\W+/g, '-')}`);
  rmSync(times, { force: true });
  const count = ready().length;
  const from = performance.now();
  await archiveBy(
    `from=$(date +%%s%%N); export XDG_CACHE_HOME=${cache}; { ${command}; }; code=$?; echo $(($(date +%%s%%N) - from)) >> ${times}; exit $code`,
  );
  await until('everything is archived', async () => ready().length === 0, 20 * 60_000);
  const seconds = (performance.now() - from) / 1000;
  const shellMs = readFileSync(times, 'utf8')
    .trim()
    .split('\n')
    .map((line) => Number(line) / 1e6);
  const own = found.getOrInsert(name, { perSecond: [], shellMs: [] });
  own.perSecond.push(count / seconds);
  own.shellMs.push(median(shellMs));
}

function report(): void {
  const load = loadavg()
    .map((one) => one.toFixed(1))
    .join(' ');
  console.log(`${wanted} segments of 16 MiB, ${rounds} rounds, ${cpus().length} processors, load at the end ${load}\n`);
  console.log('| archive_command | segments a second | one segment, median ms |\n| --- | --- | --- |');
  for (const [name, { perSecond, shellMs }] of found)
    console.log(`| ${name} | ${median(perSecond).toFixed(1)} | ${median(shellMs).toFixed(1)} |`);
  const speed = (name: string): number => median(found.get(name)?.perSecond ?? []);
  console.log(`\nholdfast / pgBackRest, async: ${(speed('holdfast') / speed('pgBackRest, async')).toFixed(2)} (≥ 1.2)`);
}
