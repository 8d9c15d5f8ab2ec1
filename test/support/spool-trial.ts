import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { systemClock } from '../../src/clock/clock.ts';
import { HoldfastError } from '../../src/errors/error.ts';
import type { Listener } from '../../src/events/events.ts';
import { errorCode } from '../../src/host/system-error.ts';
import { openLog } from '../../src/log/store.ts';
import type { Repository } from '../../src/repository/repository.ts';
import type { ArchiveWork } from '../../src/source/log.ts';
import { pushFile } from '../../src/source/postgres/archive/push.ts';
import { archiveFiles } from '../../src/source/postgres/archive/worker.ts';
import { handSegments, mib, nameOf, takeSuccesses } from './handed-segments.ts';
import { handedOver, handingOver, handOver } from './handing-over.ts';
import { newRepository } from './repository.ts';
import { runOk } from './run-program.ts';
import { tempDir, type TempDir } from './temp-dir.ts';

/**
 * What becomes of pushes while the disk with the state folder has no room for bytes, then for files, then some. Runs as root
 * in a mount namespace of its own; prints a `SpoolTrial` as JSON.
 */
export interface SpoolTrial {
  readonly noBytes: Attempt;
  readonly noFiles: Attempt;
  readonly room: Attempt;
  /** Timelines of which it is stored whence they come, after each attempt. */
  readonly stored: readonly (readonly number[])[];
  readonly beyondQueue: BeyondQueue;
}

/** One of two required places is away, the disk has no room for bytes, and more waits than may. */
interface BeyondQueue {
  readonly push: Attempt;
  /** What was marked while no file could be made either. */
  readonly withoutNames: readonly string[];
  /** Numbers of segments: what the place lacks by name once it is back. */
  readonly gaps: readonly (readonly [from: number, to: number])[];
  /** How many workers it took. */
  readonly workers: number;
}

const name = { component: 'shop-db', stream: '7' };

/** What the push said, or that it ended well. */
type Attempt = string;

/** Until the disk takes no more. */
function fill(write: (index: number) => void): void {
  try {
    for (let index = 0; ; index++) write(index);
  } catch (error) {
    if (errorCode(error) !== 'ENOSPC') throw error;
  }
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let looks = 0; !(await isSo()); looks++) {
    if (looks > 3000) throw new Error('it never came to this');
    await systemClock.sleep(20);
  }
}

/** A server whose state folder is a small disk, and those who push and store what it hands over. */
async function sceneIn(dir: TempDir, places: ArchiveWork['places'], mostQueued: () => number | undefined) {
  const state = dir.file('state');
  await mkdir(state);
  await runOk('mount', ['-t', 'tmpfs', '-o', 'size=256k,nr_inodes=64', 'tmpfs', state]);
  const handed = await handingOver(dir);
  const ending = new AbortController();
  const warnings: string[] = [];
  const listener: Listener = (event) => void (event.kind === 'warning' && warnings.push(event.message));
  const base = { ...handed, places, listener, clock: systemClock, signal: ending.signal };
  const work: ArchiveWork = {
    ...base,
    get mostQueuedBytes() {
      return mostQueued();
    },
  };
  const workers: Promise<unknown>[] = [];
  const startWorker = (): { readonly isRunning: () => boolean } => {
    let isRunning = true;
    workers.push(Promise.allSettled([archiveFiles(work).finally(() => (isRunning = false))]));
    return { isRunning: () => isRunning };
  };
  const attempt = async (name: string): Promise<Attempt> => {
    try {
      await pushFile({ ...base, path: `pg_wal/${name}`, startWorker });
      return 'no error';
    } catch (error) {
      return error instanceof HoldfastError ? `${error.code}: ${error.message}` : String(error);
    }
  };
  const end = async (): Promise<void> => {
    ending.abort(new Error('over'));
    await Promise.all(workers);
    await runOk('umount', [state]);
  };
  return { state, dataDirectory: handed.dataDirectory, workers, warnings, attempt, end };
}

async function run(): Promise<SpoolTrial> {
  await using dir = await tempDir();
  const repository = await newRepository();
  const store = openLog(repository, name);
  const places = [{ repository: 'near', required: true, windowMs: 1, open: async () => repository }];
  const { state, dataDirectory, attempt, end } = await sceneIn(dir, places, () => undefined);
  const held = async (): Promise<readonly number[]> => (await store.list()).histories;

  fill(() => writeFileSync(`${state}/bytes`, Buffer.alloc(4096), { flag: 'a' }));
  const noBytes = await attempt(handedOver);
  const stored = [await held()];
  await handOver(dataDirectory, '00000003.history');
  fill((index) => writeFileSync(`${state}/${index}`, ''));
  const noFiles = await attempt('00000003.history');
  stored.push(await held());
  for (let index = 0; index < 64; index++) rmSync(`${state}/${index}`, { force: true });
  const room = await attempt('00000003.history');
  stored.push(await held());
  await end();
  return { noBytes, noFiles, room, stored, beyondQueue: await beyondQueue() };
}

async function beyondQueue(): Promise<BeyondQueue> {
  await using dir = await tempDir();
  const [near, far] = [await newRepository(), await newRepository()];
  let [isAway, most] = [true, -1];
  const open = async (): Promise<Repository> => {
    if (isAway) throw new HoldfastError('storage-failed', 'it is away');
    return far;
  };
  const places = [
    { repository: 'near', required: true, windowMs: 1, open: async () => near },
    { repository: 'far', required: true, windowMs: 1, open },
  ];
  const { state, dataDirectory, workers, warnings, attempt, end } = await sceneIn(dir, places, () =>
    most < 0 ? undefined : most,
  );
  await handSegments(dataDirectory, [1, 2, 3]);
  fill(() => writeFileSync(`${state}/bytes`, Buffer.alloc(4096), { flag: 'a' }));
  const push = await attempt(segmentNames[0] ?? '');
  const spool = `${state}/spool/shop-db/7`;
  const names = (part: string): readonly string[] => readdirSync(spool).filter((one) => one.includes(part));
  const segments = async (): Promise<number> => (await openLog(near, name).list()).segments.length;
  await until(async () => (await segments()) === 3);
  fill((index) => writeFileSync(`${state}/${index}`, ''));
  most = 1;
  await until(() => warnings.some((one) => one.startsWith('what waits stays')));
  // A note may have found room where something else went meanwhile: it stays, and names no gap before the server lets go.
  const withoutNames = names('.ok');
  for (let index = 0; index < 64; index++) rmSync(`${state}/${index}`, { force: true });
  await until(() => segmentNames.every((one) => names(`${one}.ok`).length === 1));
  [isAway, most] = [false, -1];
  await takeSuccesses(dataDirectory, spool);
  await until(() => names('gap-').length === 0);
  const { gaps } = await openLog(far, name).list();
  await end();
  const numbers = gaps.map(({ from, to }) => [Number(from) / mib, Number(to) / mib] as const);
  return { push, withoutNames, gaps: numbers, workers: workers.length };
}

const segmentNames = [1, 2, 3].map(nameOf);

process.stdout.write(JSON.stringify(await run()));
