import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock/manual-clock.ts';
import { begun, moved, unlessStalled, type StallBound } from './stall.ts';

const bound = (clock: ManualClock): StallBound => ({
  ...{ ms: 10_000, firstMs: 3000, idleMs: 1000, mostMs: 20_000, clock },
  error: () => new Error('it stands still'),
});

/** Ends only by its signal. */
async function forever(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason));
  return await promise;
}

test('a task that tells nothing has its time in all', async () => {
  const clock = new ManualClock({ leaping: true });
  await assert.rejects(unlessStalled(bound(clock), forever), /stands still/);
  assert.equal(clock.monotonicMs(), 10_000);
});

test('a task that tells of its moves is given up once it stands still', async () => {
  const clock = new ManualClock({ leaping: true });
  const never = unlessStalled(bound(clock), async (signal) => {
    begun(signal);
    return await forever(signal);
  });
  await assert.rejects(never, /stands still/);
  assert.equal(clock.monotonicMs(), 3000);
  const moving = unlessStalled(bound(clock), async (signal) => {
    begun(signal);
    for (let n = 0; n < 12; n++) {
      await clock.sleep(900);
      moved(signal);
      begun(signal);
    }
    return await forever(signal);
  });
  await assert.rejects(moving, /stands still/);
  assert.equal(clock.monotonicMs(), 3000 + 12 * 900 + 1000);
});

test('a task that moves by drops ends in bounded time', async () => {
  const clock = new ManualClock({ leaping: true });
  const dripping = unlessStalled(bound(clock), async (signal) => {
    for (;;) {
      await clock.sleep(900, signal);
      moved(signal);
    }
  });
  await assert.rejects(dripping, /stands still/);
  assert.ok(clock.monotonicMs() >= 20_000 && clock.monotonicMs() <= 21_000);
});

test('the caller’s signal ends a task with its reason, and a task that is done leaves no sleeper', async () => {
  const clock = new ManualClock();
  const controller = new AbortController();
  const running = unlessStalled({ ...bound(clock), signal: controller.signal }, forever);
  controller.abort(new Error('enough'));
  await assert.rejects(running, /enough/);
  assert.equal(await unlessStalled(bound(clock), async () => 1), 1);
});
