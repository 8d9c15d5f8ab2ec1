import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock/manual-clock.ts';
import { MemoryStorage } from './memory.ts';
import { RetryingStorage, retryPolicy } from './retry.ts';
import { Throttle, throttled } from './throttle.ts';
import { ThrottledStorage } from './throttled.ts';
import { conformanceOf } from '../../test/support/conformance.ts';

const bytesPerSecond = 100 * 1024;

test('bytes beyond one second’s worth wait, whoever takes them, in the order they come', async () => {
  const clock = new ManualClock({ leaping: true });
  const throttle = new Throttle({ bytesPerSecond, clock });
  const order: string[] = [];
  const take = async (name: string, seconds: number): Promise<void> => {
    await throttle.take(bytesPerSecond * seconds);
    order.push(`${name} at ${Math.round(clock.monotonicMs())}`);
  };
  await Promise.all([take('a', 1), take('b', 2), take('c', 3)]);
  assert.deepEqual(order, ['a at 0', 'b at 2000', 'c at 5000']);
});

test('a rest earns one second’s worth, not more', async () => {
  const clock = new ManualClock({ leaping: true });
  const throttle = new Throttle({ bytesPerSecond, clock });
  clock.advance(3_600_000);
  await throttle.take(bytesPerSecond * 3);
  assert.equal(clock.monotonicMs(), 3_602_000);
});

test('what flows comes in even slices and whole', async () => {
  const clock = new ManualClock({ leaping: true });
  const throttle = new Throttle({ bytesPerSecond, clock });
  const data = [Buffer.alloc(1_000_000, 1), Buffer.alloc(3, 2)];
  const times: number[] = [];
  const slices: Uint8Array[] = [];
  for await (const slice of throttled(data, throttle)) {
    times.push(clock.monotonicMs());
    slices.push(slice);
  }
  assert.deepEqual(Buffer.concat(slices), Buffer.concat(data));
  const gaps = times.slice(1).map((time, n) => time - (times[n] ?? 0));
  assert.ok(Math.max(...gaps) <= 161, `${Math.max(...gaps)} ms without a byte`);
  assert.ok((times.at(-1) ?? 0) >= 8700, `${times.at(-1)} ms for a megabyte`);
});

test('giving up ends the wait', async () => {
  const throttle = new Throttle({ bytesPerSecond, clock: new ManualClock() });
  const controller = new AbortController();
  const taking = throttle.take(bytesPerSecond * 9, controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(taking, /enough/);
});

test('a throttled storage keeps the contract, and its limits both ways', async () => {
  const clock = new ManualClock({ leaping: true });
  const throttle = (rate: number): Throttle => new Throttle({ bytesPerSecond: rate, clock });
  const inner = new MemoryStorage();
  const storage = new ThrottledStorage(inner, { upload: throttle(1000), download: throttle(500) });
  await storage.put('a', [new Uint8Array(5000)]);
  assert.equal(clock.monotonicMs(), 4000);
  await storage.get('a');
  assert.equal(clock.monotonicMs(), 13_000);
  await storage.remove('a');
  const { results, left } = await conformanceOf(storage);
  assert.deepEqual([results.filter(({ outcome }) => outcome === 'broken'), left], [[], []]);
});

test('a file that workers could read by themselves goes through a limit on what is received', () => {
  const throttle = new Throttle({ bytesPerSecond, clock: new ManualClock() });
  const inner = Object.assign(new MemoryStorage(), {
    capabilities: { ...new MemoryStorage().capabilities, localPath: (key: string) => key },
  });
  assert.equal(new ThrottledStorage(inner, { download: throttle }).capabilities.localPath, undefined);
  assert.ok(new ThrottledStorage(inner, { upload: throttle }).capabilities.localPath);
});

test('a limit is no stall: attempts get the time that it needs', async () => {
  const clock = new ManualClock({ leaping: true });
  const limits = { uploadBytesPerSecond: 1024 };
  const upload = new Throttle({ bytesPerSecond: limits.uploadBytesPerSecond, clock });
  const slow = new ThrottledStorage(new MemoryStorage(), { upload });
  const events: unknown[] = [];
  const listener = (event: unknown): void => void events.push(event);
  const storage = new RetryingStorage(slow, { clock, listener, policy: retryPolicy({ limits }) });
  await Promise.all([1, 2, 3, 4].map((n) => storage.put(`a${n}`, [new Uint8Array(1_000_000)])));
  assert.deepEqual(events, []);
});
