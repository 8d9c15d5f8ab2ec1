import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock/manual-clock.ts';
import { silent } from '../events/events.ts';
import { aheadSeconds, judgeClock } from './clock-skew.ts';
import { MemoryStorage } from './memory.ts';
import type { Statement } from './statement.ts';
import { inTrial } from './trial.ts';

const second = 1_000_000_000n;

async function judged(storageAheadSeconds: bigint): Promise<Statement> {
  const here = new ManualClock();
  const there = new ManualClock({ startNs: here.nowNs() + storageAheadSeconds * second });
  const context = { clock: here, signal: new AbortController().signal, listener: silent };
  const storage = new MemoryStorage(new Map(), there);
  return (await inTrial(storage, context, (trial) => judgeClock(trial, here))).outcome;
}

test('whole seconds and the time that a request takes are no difference', () => {
  for (const [stored, before, after] of [
    [10n, 10n, 10n],
    [9_000n, 9_999n, 10_500n],
    [10_400n, 9_999n, 10_500n],
  ] as const)
    assert.equal(aheadSeconds(stored * 1_000_000n, before * 1_000_000n, after * 1_000_000n), 0);
  assert.equal(aheadSeconds(100n * second, 110n * second, 111n * second), 9);
  assert.equal(aheadSeconds(100n * second, 80n * second, 81n * second), -19);
});

test('a difference is told by its size: some seconds are a warning, what S3 refuses has failed', async () => {
  assert.equal((await judged(2n)).state, 'ok');
  const late = await judged(60n);
  assert.deepEqual([late.state, late.text], ['warning', 'this host’s clock is 60 seconds behind the storage’s']);
  assert.equal((await judged(-60n)).state, 'warning');
  assert.equal((await judged(3600n)).state, 'failed');
  assert.equal((await judged(-3600n)).state, 'failed');
});

test('where the storage tells no times the difference is unknown', async () => {
  const clock = new ManualClock();
  const context = { clock, signal: new AbortController().signal, listener: silent };
  const { outcome } = await inTrial(new MemoryStorage(), context, (trial) => judgeClock(trial, clock));
  assert.equal(outcome.state, 'unknown');
});
