import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { openLocal } from '../../src/storage/local.ts';
import { pruneJournalFolder } from '../../src/repository/own-object.ts';
import { restic, resticOk, runRestic } from '../servers/restic.ts';
import { jobContext } from './engine.ts';
import type { RepositoryAt } from './holdfast.ts';
import { MovableClock } from './movable-clock.ts';
import { pruneAll } from './operations.ts';
import { blobBytes } from './repository.ts';
import { jsonLines, type JsonRecord } from './scene.ts';
import { tempDir } from './temp-dir.ts';
import { cheapRepository, expectExit } from './two-tools.ts';

const mib = 2 ** 20;
/** Contents that snapshots of a stream hold, by their names. */
const contents = {
  kept: blobBytes('kept', 5 * mib),
  gone: blobBytes('gone', 6 * mib),
  other: blobBytes('other', 3 * mib),
};
export type Name = keyof typeof contents;

export interface Stage extends AsyncDisposable {
  readonly at: RepositoryAt;
  /** A backup that has read the index and has not got all of its input yet. */
  readonly begin: (name: Name) => Promise<Underway>;
  readonly backUp: (name: Name) => Promise<void>;
}

export interface Underway {
  /** Gives it the rest, and waits until it has written its snapshot. */
  readonly end: () => Promise<void>;
}

/** restic stored `kept` and `gone`, and has forgotten `gone`. */
export async function stage(): Promise<Stage> {
  const dir = await tempDir();
  const at = await cheapRepository(dir.file('repository'));
  const begin = async (name: Name): Promise<Underway> => await beginBackup(await resticProgram(), at, name);
  const backUp = async (name: Name): Promise<void> => {
    await (await begin(name)).end();
  };
  for (const name of ['kept', 'gone'] as const) await backUp(name);
  await resticOk('0.19.1', at, ['forget', '-q', '--unsafe-allow-remove-all', '--tag', 'gone']);
  return { at, begin, backUp, [Symbol.asyncDispose]: async () => await dir[Symbol.asyncDispose]() };
}

export interface Program {
  readonly path: string;
  /** Of a backup of standard input, under this name and with a tag of the same name. */
  readonly args: (name: Name) => readonly string[];
  readonly env: (at: RepositoryAt) => Readonly<Record<string, string>>;
}

async function resticProgram(): Promise<Program> {
  const flags = ['--no-cache', 'backup', '-q', '--pack-size', '4', '--stdin'];
  return {
    path: await restic('0.19.1'),
    args: (name) => [...flags, '--tag', name, '--stdin-filename', name],
    env: (at) => ({ RESTIC_REPOSITORY: at.repository, RESTIC_PASSWORD: at.password }),
  };
}

/** It has taken more than a pipe holds, so it reads, and who reads has read the index. */
export async function beginBackup({ path, args, env }: Program, at: RepositoryAt, name: Name): Promise<Underway> {
  const child = spawn(path, [...args(name)], {
    env: { ...process.env, ...env(at) },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  await taken(child, contents[name].subarray(0, 2 * mib));
  return {
    end: async () => {
      child.stdin?.end(contents[name].subarray(2 * mib));
      assert.deepEqual(await exited, [0, null], `${path} backs up ${name}`);
    },
  };
}

async function taken({ stdin }: ChildProcess, bytes: Uint8Array): Promise<void> {
  if (stdin?.write(bytes) === false) await once(stdin, 'drain', { signal: AbortSignal.timeout(300_000) });
}

/** restic finds no fault, and each of these snapshots holds what was backed up. */
export async function assertWhole(at: RepositoryAt, names: readonly Name[]): Promise<void> {
  assert.match(await resticOk('0.19.1', at, ['check', '--read-data']), /no errors were found/);
  for (const name of names) {
    const { code, stdout } = await runRestic('0.19.1', at, ['dump', '--tag', name, 'latest', `/${name}`]);
    assert.equal(code, 0, name);
    assert.ok(stdout.equals(contents[name]), `${name} comes back byte for byte`);
  }
}

export async function prunes(at: RepositoryAt): Promise<string> {
  return (await expectExit(0, 'holdfast', at, ['prune', '--deferred', '--max-unused', '0'])).stdout.toString();
}

/** As the command a day ago would have, so that what it drops may be deleted now. */
export async function pruneADayAgo({ repository }: RepositoryAt): Promise<void> {
  const clock = new MovableClock();
  clock.skipHours(-25);
  await pruneAll(jobContext(await openLocal(repository), clock), { way: 'deferred' });
  const seconds = Number(clock.nowNs() / 1_000_000_000n);
  const folder = join(repository, pruneJournalFolder);
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), seconds, seconds);
}

/** The rest of the way: once more a day later nothing is left over but what was dropped just now. */
export async function assertFinishes(at: RepositoryAt, names: readonly Name[]): Promise<void> {
  await pruneADayAgo(at);
  await prunes(at);
  await assertWhole(at, names);
  const records = await recordsOf(at, ['prune', '--dry-run', '--instant', '--max-unused', '0']);
  const summary = records.find((record) => record['message_type'] === 'summary');
  assert.equal(Reflect.get(Object(summary?.['blobs']), 'unused'), 0);
}

export async function recordsOf(at: RepositoryAt, args: readonly string[]): Promise<readonly JsonRecord[]> {
  return jsonLines((await expectExit(0, 'holdfast', at, ['--json', ...args])).stdout.toString());
}
