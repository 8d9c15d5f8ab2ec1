import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedQueue } from './queue.ts';

test('items come out in order and never more than the capacity are held', async () => {
  const queue = new BoundedQueue<number>(4);
  let most = 0;
  const produce = async (): Promise<void> => {
    for (let n = 0; n < 100; n++) {
      await queue.put(n);
      most = Math.max(most, queue.size);
    }
    queue.close();
  };
  const producing = produce();
  const seen: number[] = [];
  for await (const item of queue) {
    seen.push(item);
    if (item % 7 === 0) await new Promise(setImmediate);
  }
  await producing;
  assert.deepEqual(
    seen,
    Array.from({ length: 100 }, (_, n) => n),
  );
  assert.ok(most <= 4);
});

test('an abort ends a waiting producer and a waiting consumer', async () => {
  const controller = new AbortController();
  const full = new BoundedQueue<number>(1, controller.signal);
  const empty = new BoundedQueue<number>(1, controller.signal);
  await full.put(1);
  const producer = full.put(2);
  const consumer = empty[Symbol.asyncIterator]().next();
  controller.abort(new Error('stop'));
  await assert.rejects(producer, /stop/);
  await assert.rejects(consumer, /stop/);
});

test('two consumers share the items', async () => {
  const queue = new BoundedQueue<number>(2);
  const seen: number[] = [];
  const consume = async (): Promise<void> => {
    for await (const item of queue) seen.push(item);
  };
  const consumers = [consume(), consume()];
  for (let n = 0; n < 10; n++) await queue.put(n);
  queue.close();
  await Promise.all(consumers);
  assert.deepEqual(
    seen.toSorted((a, b) => a - b),
    Array.from({ length: 10 }, (_, n) => n),
  );
  await assert.rejects(queue.put(11), /closed/);
});
