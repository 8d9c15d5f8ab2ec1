import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { systemClock } from '../../src/clock/clock.ts';
import { parseLsn } from '../../src/source/postgres/lsn.ts';
import { runProgram } from '../../test/support/run-program.ts';
import type { Ran } from '../first-team/run.ts';
import { root } from '../tree.ts';

const holdfast = join(root, 'bin/holdfast');

function surroundings(folder: string): { readonly cwd: string; readonly env: NodeJS.ProcessEnv } {
  const places = { HOLDFAST_STATE_DIR: join(folder, 'state'), RESTIC_CACHE_DIR: join(folder, 'cache') };
  const without = { HOLDFAST_CONFIG: undefined, RESTIC_REPOSITORY: undefined, RESTIC_PASSWORD: undefined };
  return { cwd: folder, env: { ...process.env, ...without, ...places } };
}

/** The real program in a team's folder, while the team's customers go on. */
export function beside(folder: string): (...args: readonly string[]) => Promise<Ran> {
  return async (...args) => {
    const start = performance.now();
    const { code, stdout, stderr } = await runProgram(holdfast, args, surroundings(folder));
    return { code, stdout: stdout.toString(), stderr, milliseconds: performance.now() - start };
  };
}

/** `holdfast postgres stream` at work. */
export interface Streaming extends AsyncDisposable {
  /** How far behind the server each of its measurements found it, in seconds. */
  readonly behind: () => readonly number[];
  /** Resolves once all up to a position of the log is durable, or fails with its words. */
  readonly durable: (position: string) => Promise<void>;
  /** As a host does that loses its power. */
  readonly kill: () => Promise<void>;
}

const mostMs = 60_000;

export function startStream(folder: string): Streaming {
  const child = spawn(holdfast, ['postgres', 'stream', 'shop-db', '--json'], {
    ...surroundings(folder),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (bytes) => (output += String(bytes)));
  child.stderr.on('data', (bytes) => (errors += String(bytes)));
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  child.once('close', () => resolve());
  const behind = (): readonly number[] =>
    [...output.matchAll(/"rpo_seconds":([\d.e-]+)/g)].map(([, seconds = '']) => Number(seconds));
  const positions = (): readonly string[] =>
    [...output.matchAll(/"durable":"([^"]+)"/g)].map(([, position = '']) => position);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  return {
    behind,
    durable: async (position) => {
      const giveUpAt = systemClock.monotonicMs() + mostMs;
      while (!positions().some((one) => parseLsn(one) >= parseLsn(position))) {
        const isOver = child.exitCode !== null || systemClock.monotonicMs() > giveUpAt;
        if (isOver) throw new Error(`the stream of the log said:\n${errors}${output}`);
        await systemClock.sleep(20);
      }
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}
