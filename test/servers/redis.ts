import { existsSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { absent } from '../absences.ts';
import { runOk } from '../support/run-program.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';
import { debianPackages, hasDebian } from './debian.ts';
import { startServer, type RunningServer } from './running.ts';

/** Why a test with Redis can't run here, or false. */
export function withoutRedis(): string | false {
  return isInstalled() || hasDebian() ? false : absent('redis');
}

/** A server of its own on a free port. */
export interface Redis extends AsyncDisposable {
  /** What a shell writes for `redis-cli`, so that it asks this server. */
  readonly client: () => string;
  /** Runs a command of Redis, its words given one by one. */
  readonly ask: (...words: readonly string[]) => Promise<string>;
  /** Ends it with all it holds, and starts it anew from an RDB file. */
  readonly replaceBy: (file: string) => Promise<void>;
}

/** Debian's Redis, 7.0; where it isn't installed, from its packages without installing them. */
export async function startRedis(): Promise<Redis> {
  const programs = await redisPrograms();
  const dir = await tempDir();
  let running = await start(programs, dir);
  const client = (): readonly string[] => [...programs.before, programs.client, '-p', String(running.port)];
  return {
    client: () => client().join(' '),
    ask: async (...words) => {
      const [program = '', ...args] = [...client(), ...words];
      return (await runOk(program, args)).toString().trimEnd();
    },
    replaceBy: async (file) => {
      await running[Symbol.asyncDispose]();
      await rm(dir.file('dump.rdb'), { force: true });
      await copyFile(file, dir.file('dump.rdb'));
      running = await start(programs, dir);
    },
    [Symbol.asyncDispose]: async () => {
      await running[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

interface Programs {
  /** What makes their libraries found. */
  readonly before: readonly string[];
  readonly server: string;
  readonly client: string;
}

async function start({ before, server }: Programs, dir: TempDir): Promise<RunningServer> {
  const running = await startServer({
    program: 'env',
    args: async ({ port }) => [
      ...before.slice(1),
      ...[server, '--port', String(port), '--bind', '127.0.0.1', '--dir', dir.path, '--save', ''],
      // Else each dump waits five seconds for others who might want one.
      ...['--repl-diskless-sync-delay', '0'],
    ],
  });
  return running;
}

const installed = { server: '/usr/bin/redis-server', client: '/usr/bin/redis-cli' };

function isInstalled(): boolean {
  return existsSync(installed.server) && existsSync(installed.client);
}

async function redisPrograms(): Promise<Programs> {
  if (isInstalled()) return { before: ['env'], ...installed };
  const libraries = [
    'libatomic1',
    'libhiredis0.14',
    'libjemalloc2',
    'liblua5.1-0',
    'liblzf1',
    'lua-bitop',
    'lua-cjson',
  ];
  const folder = await debianPackages('redis-debian12', ['redis-server', 'redis-tools', ...libraries]);
  const triplet = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  const before = ['env', `LD_LIBRARY_PATH=${join(folder, 'usr/lib', triplet)}`];
  return { before, server: join(folder, 'usr/bin/redis-server'), client: join(folder, 'usr/bin/redis-cli') };
}
