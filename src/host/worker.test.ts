import assert from 'node:assert/strict';
import { test } from 'node:test';
import { words, type WaitingMessage } from '../../test/support/waiting-words.ts';
import { startWorker } from './worker.ts';

const entry = new URL('../../test/support/waiting-worker.ts', import.meta.url);

/** A worker in the middle of the first of two requests. */
async function busyWorker(onMessage: (message: WaitingMessage) => void) {
  const memory = new SharedArrayBuffer(12);
  const begun = Promise.withResolvers<void>();
  const worker = startWorker<SharedArrayBuffer, WaitingMessage>(entry, {
    name: 'waiting',
    onMessage: (message) => {
      if (message === 'begun') begun.resolve();
      onMessage(message);
    },
    onFailure: begun.reject,
  });
  worker.post(memory);
  worker.post(memory);
  await begun.promise;
  return { worker, shared: new Int32Array(memory) };
}

function tell(shared: Int32Array, word: number): void {
  Atomics.store(shared, word, 1);
  Atomics.notify(shared, word);
}

test('a worker that is let go finishes what it does, with what it asks for, and begins nothing else', async () => {
  const messages: WaitingMessage[] = [];
  const { worker, shared } = await busyWorker((message) => {
    messages.push(message);
    if (message === 'room?') tell(shared, words.room);
  });
  const ended = worker[Symbol.asyncDispose]();
  tell(shared, words.mayAsk);
  await ended;
  assert.deepEqual(messages, ['begun', 'room?', 'finished']);
  assert.equal(Atomics.load(shared, words.finished), 1);
});

test('a worker that does not come to an end is broken off', async () => {
  const { worker, shared } = await busyWorker(() => undefined);
  await worker[Symbol.asyncDispose]();
  assert.equal(Atomics.load(shared, words.finished), 0);
});

test('a worker that is let go while it starts ends', async () => {
  for (let n = 0; n < 5; n += 1) {
    const failed: Error[] = [];
    await using _worker = startWorker(entry, {
      ...{ name: 'waiting', onMessage: assert.fail },
      onFailure: (error) => void failed.push(error),
    });
    assert.deepEqual(failed, []);
  }
});
