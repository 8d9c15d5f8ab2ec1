import { serveRequests } from '../../src/host/worker.ts';
import { words, type WaitingMessage } from './waiting-words.ts';

/** Each request is memory: tells that it has begun, waits until it may ask, asks for room, waits for it, and is done. */
serveRequests<SharedArrayBuffer, WaitingMessage>((memory, send) => {
  const shared = new Int32Array(memory);
  send('begun');
  Atomics.wait(shared, words.mayAsk, 0);
  send('room?');
  Atomics.wait(shared, words.room, 0);
  Atomics.add(shared, words.finished, 1);
  return 'finished';
});
