import { spawn } from 'node:child_process';
import { systemClock } from '../../src/clock/clock.ts';
import { parseLsn } from '../../src/source/postgres/lsn.ts';
import { holdfastProgram } from './holdfast.ts';
import { shopScene } from './postgres-scene.ts';
import type { Scene } from './verifying.ts';

/** A cluster as the component shop-db, whose log is streamed. */
export async function streamScene(
  folder: string,
  url: string,
  { programs = '' }: { readonly programs?: string } = {},
): Promise<Scene> {
  const more = '    log: { mode: stream, to: { near: { window: 7d } } }\n';
  return await shopScene(folder, url, { options: `programs: [${programs}]`, more });
}

export interface StreamRecord {
  readonly message_type: string;
  readonly durable?: string;
  readonly rpo_seconds?: number;
  readonly [key: string]: unknown;
}

/** `postgres stream shop-db --json` at work. */
export interface Streaming extends AsyncDisposable {
  readonly pid: number;
  /** What it has said so far. */
  readonly records: () => readonly StreamRecord[];
  readonly errors: () => string;
  /** The newest position that it calls durable; 0 before the first. */
  readonly durable: () => bigint;
  /** Resolves with the first record that fits, of those said already, too. */
  readonly until: (fits: (record: StreamRecord) => boolean) => Promise<StreamRecord>;
  /** Sends a signal and resolves with the exit code, or the signal that ended it. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | NodeJS.Signals | null>;
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

const mostMs = 150_000;

export function startStream(folder: string, ...more: readonly string[]): Streaming {
  const state = ['--cache-dir', `${folder}/cache`, '--state-dir', `${folder}/state`];
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder };
  return streamOf({ component: 'shop-db', cwd: folder, env, args: [...state, ...more] });
}

export interface StreamOptions {
  readonly component: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

export function streamOf({ component, cwd, env, args }: StreamOptions): Streaming {
  const words = ['postgres', 'stream', component, '--json', ...args];
  const child = spawn(holdfastProgram, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (bytes) => (output += String(bytes)));
  child.stderr.on('data', (bytes) => (errors += String(bytes)));
  const { promise: ended, resolve } = Promise.withResolvers<number | NodeJS.Signals | null>();
  child.once('close', (code, signal) => resolve(code ?? signal));
  const records = (): readonly StreamRecord[] => recordsIn(output);
  const until: Streaming['until'] = async (fits) => {
    const giveUpAt = systemClock.monotonicMs() + mostMs;
    for (;;) {
      const found = records().find(fits);
      if (found !== undefined) return found;
      const isOver = child.exitCode !== null || child.signalCode !== null;
      if (isOver || systemClock.monotonicMs() > giveUpAt) throw new Error(`it never said so\n${output}\n${errors}`);
      await systemClock.sleep(20);
    }
  };
  const end: Streaming['end'] = async (signal) => {
    child.kill(signal);
    return await ended;
  };
  const durable = (): bigint => {
    const last = records().findLast((record) => record.durable !== undefined);
    return last?.durable === undefined ? 0n : parseLsn(last.durable);
  };
  return {
    pid: child.pid ?? 0,
    records,
    errors: () => errors,
    durable,
    until,
    end,
    ended,
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}

/** One a line; the last is not whole yet. */
function recordsIn(output: string): readonly StreamRecord[] {
  const lines = output.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as StreamRecord);
}
