import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../errors/error.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { retry, type RetryOptions } from './retry.ts';

const patient = (clock: ManualClock): RetryOptions => ({
  attempts: 5,
  baseMs: 100,
  maxMs: 300,
  jitter: 0,
  clock,
  retryable: () => true,
});

const failing =
  (times: number) =>
  async (attempt: number): Promise<number> => {
    if (attempt <= times) throw new Error(`attempt ${attempt}`);
    return attempt;
  };

test('pauses double up to the most, and the result is that of the first success', async () => {
  const clock = new ManualClock({ leaping: true });
  const pauses: number[] = [];
  const result = await retry({ ...patient(clock), onRetry: (_, pauseMs) => pauses.push(pauseMs) }, failing(4));
  assert.equal(result, 5);
  assert.deepEqual(pauses, [100, 200, 300, 300]);
});

test('the last error is thrown when the attempts are used up', async () => {
  await assert.rejects(retry(patient(new ManualClock({ leaping: true })), failing(9)), /attempt 5/);
});

test('no attempt starts after the time is up', async () => {
  const clock = new ManualClock({ leaping: true });
  await assert.rejects(retry({ ...patient(clock), untilMs: 350 }, failing(9)), /attempt 3/);
  assert.equal(clock.monotonicMs(), 300);
});

test('what retrying cannot help is thrown at once', async () => {
  const clock = new ManualClock({ leaping: true });
  await assert.rejects(retry({ ...patient(clock), retryable: () => false }, failing(9)), /attempt 1/);
});

test('jitter leaves the given part of a pause to chance', async () => {
  const clock = new ManualClock({ leaping: true });
  await retry({ ...patient(clock), jitter: 0.5, random: () => 1 }, failing(1));
  assert.equal(clock.monotonicMs(), 50);
});

test('an abort ends the pause with its reason', async () => {
  const clock = new ManualClock();
  const controller = new AbortController();
  const running = retry({ ...patient(clock), signal: controller.signal }, failing(9));
  await clock.sleeping(1);
  controller.abort(new Error('stop'));
  await assert.rejects(running, /stop/);
});

test('who asks for a longer pause gets it, five minutes at most', async () => {
  const clock = new ManualClock({ leaping: true });
  const pauses: number[] = [];
  const asking = async (attempt: number): Promise<void> => {
    if (attempt > 2) return;
    throw new HoldfastError('storage-failed', 'busy', { retryAfterMs: attempt === 1 ? 7000 : 86_400_000 });
  };
  await retry({ ...patient(clock), onRetry: (_, pauseMs) => pauses.push(pauseMs) }, asking);
  assert.deepEqual(pauses, [7100, 300_200]);
});
