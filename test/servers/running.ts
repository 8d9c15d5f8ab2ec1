import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock/clock.ts';
import { hasErrno } from '../support/errno.ts';
import { removeFolder, tempDir, type TempDir } from '../support/temp-dir.ts';
import { freePort } from './free-port.ts';

/** A real server with a folder of its own, ended and removed when disposed: `await using server = await …`. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  readonly dir: TempDir;
  readonly pid: number;
  /** What it has printed so far, both streams. */
  readonly output: () => string;
  /** By then its PID may be another process's. */
  readonly hasEnded: () => boolean;
  /** Ends it by SIGKILL; its folder stays until it is disposed. */
  readonly kill: () => Promise<void>;
}

export interface ServerOptions {
  readonly program: string;
  readonly args: (place: { readonly port: number; readonly dir: TempDir }) => Promise<readonly string[]>;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it serves already, asked until it does; without it: whether somebody listens on the port. */
  readonly ready?: (place: { readonly port: number }) => Promise<boolean>;
}

/** A busy machine takes its time. */
const startMs = 120_000;

/** Starts a server on a free port of 127.0.0.1. What test runs that were killed left running is ended first. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  await reap();
  const dir = await tempDir();
  const port = await freePort();
  const args = await options.args({ port, dir });
  const child = spawn(options.program, [...args], {
    cwd: dir.path,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += String(bytes)));
  const exited = exitOf(child);
  const record = await remember(child.pid ?? 0, dir.path);
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  const dispose = async (): Promise<void> => {
    await kill();
    await rm(record, { force: true });
    await dir[Symbol.asyncDispose]();
  };
  try {
    await untilReady(child, options, port);
  } catch (error) {
    await dispose();
    throw new Error(`${options.program} did not start\n${output}`, { cause: error });
  }
  return { port, dir, pid: child.pid ?? 0, output: () => output, hasEnded, kill, [Symbol.asyncDispose]: dispose };
}

async function untilReady(child: ChildProcess, { ready = listens }: ServerOptions, port: number): Promise<void> {
  const giveUpAt = systemClock.monotonicMs() + startMs;
  while (!(await ready({ port }).catch(() => false))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended');
    if (systemClock.monotonicMs() > giveUpAt) throw new Error(`it does not answer after ${startMs} ms`);
    await systemClock.sleep(20);
  }
}

async function exitOf(child: ChildProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('error', () => resolve());
  child.once('exit', () => resolve());
  await promise;
}

async function listens({ port }: { readonly port: number }): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ port, host: '127.0.0.1' });
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

/** Records of what runs, one file a server: `<its PID>-<its start>-<our PID>-<our start>`. */
const records = join(tmpdir(), 'holdfast-test-servers');

async function remember(pid: number, folder: string): Promise<string> {
  await mkdir(records, { recursive: true });
  const path = join(records, [pid, await startOf(pid), process.pid, await startOf(process.pid)].join('-'));
  await writeFile(path, folder);
  return path;
}

/** Ends servers whose test run is gone. A PID alone proves nothing: the start time must be the same, too. */
async function reap(): Promise<void> {
  await mkdir(records, { recursive: true });
  for (const name of await readdir(records)) {
    const [pid = '', start = '', parent = '', parentStart = ''] = name.split('-');
    if ((await startOf(Number(parent))) === parentStart) continue;
    if (start !== 'gone' && (await startOf(Number(pid))) === start) killIfThere(Number(pid));
    const record = join(records, name);
    const folder = await readFile(record, 'utf8').catch(() => ''); // another run removes it at the same time
    if (folder !== '') await removeFolder(folder); // its processes may still end
    await rm(record, { force: true });
  }
}

/** Another run may end it at the same time. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}

/** When a process began, in the system's ticks; 'gone' when there is none. */
async function startOf(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? 'gone';
  } catch (error) {
    if (hasErrno(error, 'ENOENT') || hasErrno(error, 'ESRCH')) return 'gone';
    throw error;
  }
}
