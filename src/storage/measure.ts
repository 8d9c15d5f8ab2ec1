import type { Clock } from '../clock/clock.ts';
import { limiter } from '../flow/limiter.ts';
import type { Listener } from '../events/events.ts';
import { sample } from './conformance/check.ts';
import type { Trial } from './trial.ts';

/** How long small requests take, one after another. */
export interface Latency {
  readonly operation: 'put' | 'get' | 'list' | 'remove';
  readonly count: number;
  readonly medianMs: number;
  readonly worstMs: number;
}

/** How much moves in a second, over so many connections at a time. */
export interface Rate {
  readonly connections: number;
  readonly bytes: number;
  readonly uploadBytesPerSecond: number;
  readonly downloadBytesPerSecond: number;
}

export interface Measuring {
  readonly clock: Clock;
  readonly listener: Listener;
}

const requests = 20;
const smallBytes = 1024;
const objects = 8;
const objectBytes = 4 * 1024 * 1024;
const connections = [1, 4];
/** A slow storage is measured by fewer: after so long nothing new is begun. */
const longestMs = 20_000;

/** At most twenty requests of each kind, on objects of 1 KiB. */
export async function measureLatency(trial: Trial, { clock, listener }: Measuring): Promise<readonly Latency[]> {
  const place = trial.place('latency');
  const { storage } = trial;
  const all = Array.from({ length: requests }, (_, n) => {
    const bytes = sample(smallBytes, 1000 + n);
    return { bytes, key: place.key(String(n), bytes) };
  });
  const calls = {
    put: ({ key, bytes }) => storage.put(key, [bytes]),
    get: async ({ key }) => void (await storage.get(key)),
    list: async () => void (await Array.fromAsync(storage.list(place.prefix))),
    remove: ({ key }) => storage.remove(key),
  } satisfies Record<Latency['operation'], (object: (typeof all)[number]) => Promise<void>>;
  const found: Latency[] = [];
  let stored = all;
  for (const operation of ['put', 'get', 'list', 'remove'] as const) {
    listener({
      kind: 'progress',
      phase: `measuring: ${operation}`,
      doneBytes: 0,
      doneItems: found.length,
      totalItems: 4,
    });
    const times: number[] = [];
    const started = clock.monotonicMs();
    for (const object of stored) {
      if (clock.monotonicMs() - started > longestMs) break;
      const before = clock.monotonicMs();
      await calls[operation](object);
      times.push(clock.monotonicMs() - before);
    }
    // What wasn't stored can't be read.
    if (operation === 'put') stored = all.slice(0, times.length);
    found.push({ operation, ...spreadOf(times) });
  }
  await trial.leave(place);
  return found;
}

function spreadOf(times: readonly number[]): Omit<Latency, 'operation'> {
  const sorted = times.toSorted((a, b) => a - b);
  return { count: times.length, medianMs: sorted[sorted.length >> 1] ?? 0, worstMs: sorted.at(-1) ?? 0 };
}

/** At most 32 MiB each way with one connection, then with several. What was just stored may come from a cache. */
export async function measureRates(trial: Trial, measuring: Measuring): Promise<readonly Rate[]> {
  const data = Array.from({ length: objects }, (_, n) => sample(objectBytes, 2000 + n));
  const found: Rate[] = [];
  for (const count of connections) found.push(await rateOf(trial, data, count, measuring));
  return found;
}

async function rateOf(
  trial: Trial,
  data: readonly Uint8Array[],
  count: number,
  { clock, listener }: Measuring,
): Promise<Rate> {
  const place = trial.place(`rate-${count}`);
  const { storage } = trial;
  let doneBytes = 0;
  const move = async (phase: string, call: (n: number) => Promise<unknown>, most: number): Promise<Moved> => {
    const started = clock.monotonicMs();
    const limited = limiter(count);
    let moved = 0;
    const one = async (n: number): Promise<void> => {
      if (n > 0 && clock.monotonicMs() - started > longestMs) return;
      await call(n);
      moved++;
      doneBytes += objectBytes;
      listener({ kind: 'progress', phase: `measuring: ${phase}`, doneBytes, doneItems: moved, totalItems: most });
    };
    await Promise.all(Array.from({ length: most }, (_, n) => limited(() => one(n))));
    return { moved, perSecond: (moved * objectBytes * 1000) / Math.max(1, clock.monotonicMs() - started) };
  };
  const keys = data.map((bytes, n) => place.key(String(n), bytes));
  const up = await move('upload', (n) => storage.put(keys[n] ?? '', [data[n] ?? new Uint8Array()]), objects);
  const down = await move('download', (n) => storage.get(keys[n] ?? ''), up.moved);
  await trial.leave(place);
  return {
    connections: count,
    bytes: up.moved * objectBytes,
    uploadBytesPerSecond: Math.round(up.perSecond),
    downloadBytesPerSecond: Math.round(down.perSecond),
  };
}

interface Moved {
  readonly moved: number;
  readonly perSecond: number;
}
