import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/clock/clock.ts';
import { parseLsn } from '../../src/source/postgres/lsn.ts';
import { holdfastProgram } from './holdfast.ts';
import { cheapNear, sceneAt, type Scene } from './verifying.ts';

/** A cluster as the component shop-db, whose log is streamed. */
export async function streamScene(
  folder: string,
  url: string,
  { programs }: { readonly programs?: string } = {},
): Promise<Scene> {
  if (!existsSync(join(folder, 'near'))) await cheapNear(folder);
  await writeFile(join(folder, 'url'), url);
  return await sceneAt(
    folder,
    `repositories:
  near: { url: DIR/near, password: { file: DIR/password } }
components:
  shop-db:
    postgres: { url: { file: DIR/url }, programs: [${programs ?? ''}] }
    backups: { full: { method: physical, at: "02:00", to: { near: { keep: { daily: 7 } } } } }
    log: { mode: stream, to: { near: { window: 7d } } }
`,
  );
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

const mostMs = 60_000;

export function startStream(folder: string, ...more: readonly string[]): Streaming {
  const state = ['--cache-dir', `${folder}/cache`, '--state-dir', `${folder}/state`];
  const child = spawn(holdfastProgram, ['postgres', 'stream', 'shop-db', '--json', ...state, ...more], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (bytes) => (output += String(bytes)));
  child.stderr.on('data', (bytes) => (errors += String(bytes)));
  const { promise: ended, resolve } = Promise.withResolvers<number | NodeJS.Signals | null>();
  child.once('close', (code, signal) => resolve(code ?? signal));
  const records = (): readonly StreamRecord[] =>
    output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as StreamRecord);
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
