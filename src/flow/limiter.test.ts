import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limiter } from './limiter.ts';

test('never more tasks than the limit run, and all of them finish in order of arrival', async () => {
  const limited = limiter(3);
  let running = 0;
  let most = 0;
  const started: number[] = [];
  const task = (number: number) => async (): Promise<number> => {
    started.push(number);
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    running--;
    return number;
  };
  const numbers = Array.from({ length: 20 }, (_, number) => number);
  assert.deepEqual(await Promise.all(numbers.map((number) => limited(task(number)))), numbers);
  assert.equal(most, 3);
  assert.deepEqual(started, numbers);
});

test('a failed task frees its place', async () => {
  const limited = limiter(1);
  await assert.rejects(
    limited(async () => {
      throw new Error('broken');
    }),
    /broken/,
  );
  assert.equal(await limited(async () => 'next'), 'next');
});

test('a task whose signal aborts in the queue is never started and holds no place', async () => {
  const limited = limiter(1);
  const gate = Promise.withResolvers<void>();
  const first = limited(() => gate.promise);
  const controller = new AbortController();
  let started = false;
  const second = limited(async () => {
    started = true;
  }, controller.signal);
  controller.abort(new Error('gone'));
  await assert.rejects(second, /gone/);
  gate.resolve();
  await first;
  assert.equal(await limited(async () => 'third'), 'third');
  assert.equal(started, false);
});
