import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { systemClock } from '../../src/clock/clock.ts';
import { postgresPrograms } from '../servers/postgres-program.ts';
import { asServer, giveToServer } from '../servers/postgres-user.ts';
import type { PostgresMajor, PostgresServer } from '../servers/postgres-versions.ts';
import { archivingScene, type ArchivingScene } from './archiving-scene.ts';
import { writeLedger } from './ledger.ts';
import { databaseFiles } from './postgres-scene.ts';

/** A cluster that archives its log; backed up, with rows 1 and 2 and what `before` makes. */
export async function archived(
  major: PostgresMajor,
  before: (scene: ArchivingScene) => Promise<void> = async () => undefined,
): Promise<ArchivingScene> {
  const scene = await archivingScene({ major, log: 'to: { near: { window: 14d } }', settings });
  const { dir, server } = scene;
  await giveToServer(dirname(server.data));
  const policy = await readFile(dir.file('holdfast.yaml'), 'utf8');
  const programs = `programs: [${await postgresPrograms(major)}]`;
  const url = `url: { file: ${dir.file('url')} }`;
  await writeFile(dir.file('holdfast.yaml'), policy.replace(url, `${url}, ${programs}`));
  await server.sql('create table orders (id int, what text)');
  await writeLedger(server, [1, 2], 99);
  await before(scene);
  await ok(scene, 'backup', 'shop-db');
  return scene;
}

const settings = ['wal_keep_size=1GB', 'track_commit_timestamp=on'] as const;

export async function ok({ run }: ArchivingScene, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...words);
  assert.equal(code, 0, `${words.join(' ')}: ${stderr}${stdout.toString()}`);
  return stdout.toString();
}

export async function idsOf(server: PostgresServer): Promise<string> {
  return (await server.sql('select id from orders order by id')).join(' ');
}

/** By path within a folder. */
export async function contentsOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = await databaseFiles([folder]);
  return new Map([...files].map(([path, hash]) => [relative(folder, path), hash]));
}

export const isOurs = (name: string): boolean => name.startsWith('.holdfast');

/** A tablespace of its own, with a table in it. */
export async function withTablespace({ server, dir }: ArchivingScene): Promise<void> {
  await mkdir(dir.file('here'), { recursive: true });
  await giveToServer(dir.file('here'));
  await server.sql(`create tablespace far location '${dir.file('here')}'`);
  await server.sql('create table far (id int) tablespace far');
}

/** Runs a restore in place until its journal says that it began a step, and kills it then; whether it had not ended by then. */
export async function killAt(
  { dir, program, server }: ArchivingScene,
  step: string,
  words: readonly string[],
): Promise<boolean> {
  const own = ['--config', dir.file('holdfast.yaml'), '--state-dir', dir.file('state')];
  const [as, ...rest] = asServer([program, ...words, ...own]);
  const child = spawn(as, rest, { cwd: server.data, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const read = new Map<string, string>();
  let gone = false;
  void ended.then(() => (gone = true));
  while (!gone && !(await hasBegun(dir.file('state/plans'), step, read))) await systemClock.sleep(5);
  child.kill('SIGKILL');
  await ended;
  assert.ok(await hasBegun(dir.file('state/plans'), step, read), `${step} never began`);
  return child.signalCode === 'SIGKILL';
}

async function hasBegun(plans: string, step: string, read: Map<string, string>): Promise<boolean> {
  const names = await readdir(plans, { recursive: true }).catch(() => []);
  for (const name of names.filter((one) => /[/]\d{6}\.json$/.test(one) && !read.has(one)))
    read.set(name, await readFile(`${plans}/${name}`, 'utf8'));
  return read.values().some((text) => text.includes('"began"') && text.includes(`"${step}"`));
}
