import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from './manual-clock.ts';

test('it stands still until it is moved, and wakes who slept until then', async () => {
  const clock = new ManualClock({ startNs: 5n });
  const woken: string[] = [];
  const early = clock.sleep(10).then(() => woken.push('early'));
  const late = clock.sleep(20).then(() => woken.push('late'));
  clock.advance(10);
  await early;
  assert.deepEqual(woken, ['early']);
  assert.equal(clock.nowNs(), 10_000_005n);
  clock.advance(10);
  await late;
  assert.equal(clock.monotonicMs(), 20);
});

test('a leaping clock wakes sleepers in the order of their times', async () => {
  const clock = new ManualClock({ leaping: true });
  const woken: number[] = [];
  await Promise.all([300, 100, 200].map((ms) => clock.sleep(ms).then(() => woken.push(ms))));
  assert.deepEqual(woken, [100, 200, 300]);
  assert.equal(clock.monotonicMs(), 300);
});

test('a sleep ends with the reason of its signal', async () => {
  const clock = new ManualClock({ leaping: true });
  const controller = new AbortController();
  const sleeping = clock.sleep(1e9, controller.signal);
  controller.abort(new Error('stop'));
  await assert.rejects(sleeping, /stop/);
  assert.equal(clock.monotonicMs(), 0);
});
