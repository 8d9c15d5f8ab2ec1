import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock/manual-clock.ts';
import { orAborted, withDeadline } from './abort.ts';

const never = new Promise<never>(() => undefined);

test('a wait ends with the reason of its signal', async () => {
  const controller = new AbortController();
  const waiting = orAborted(never, controller.signal);
  const reason = new Error('stop');
  controller.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(orAborted(never, controller.signal), reason);
});

test('a wait passes result and error on', async () => {
  const { signal } = new AbortController();
  assert.equal(await orAborted(Promise.resolve(1), signal), 1);
  assert.equal(await orAborted(Promise.resolve(2)), 2);
  await assert.rejects(orAborted(Promise.reject(new Error('lost')), signal), /lost/);
});

test('a task past its deadline ends with the given error and its signal aborted', async () => {
  const clock = new ManualClock();
  let seen: AbortSignal | undefined;
  const deadline = { ms: 100, clock, error: () => new Error('late') };
  const running = withDeadline(deadline, (signal) => {
    seen = signal;
    return never;
  });
  await clock.sleeping(1);
  clock.advance(99);
  assert.equal(seen?.aborted, false);
  clock.advance(1);
  await assert.rejects(running, /late/);
  assert.equal(seen?.aborted, true);
});

test('a task within its deadline gives its result and leaves no timer behind', async () => {
  const deadline = { ms: 1e9, clock: new ManualClock(), error: () => new Error('late') };
  assert.equal(await withDeadline(deadline, async () => 7), 7);
  await assert.rejects(
    withDeadline({ ...deadline, signal: AbortSignal.abort(new Error('no')) }, async () => 7),
    /no/,
  );
});
