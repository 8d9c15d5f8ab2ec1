import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, type Clock } from '../src/clock/clock.ts';
import { silent } from '../src/events/events.ts';
import { openStorage } from '../src/storage/open.ts';
import { RetryingStorage } from '../src/storage/retry.ts';
import { withoutGo } from './servers/go-program.ts';
import { httpProxy, type FaultFor, type InjectedAnswer } from './servers/proxy.ts';
import { startRestServer, withoutRestServer } from './servers/rest-server.ts';
import { versitygw } from './servers/versitygw.ts';
import { s3Refusal } from './support/s3-answers.ts';

const skip = withoutGo();
const timeout = 300_000;
const bytes = [Buffer.from('some bytes')];

/** Pauses take no time and are written down; deadlines, which nobody should reach, are real. */
function notingClock(pauses: number[]): Clock {
  return {
    ...systemClock,
    monotonicMs: () => systemClock.monotonicMs() + pauses.reduce((sum, ms) => sum + ms, 0),
    sleep: async (ms, signal) => {
      if (signal) return await systemClock.sleep(ms, signal);
      pauses.push(ms);
    },
  };
}

interface Refusing extends AsyncDisposable {
  readonly storage: RetryingStorage;
  /** Between the attempts. */
  readonly pauses: number[];
  /** What the next requests get in place of an answer. */
  readonly refuse: (answer: InjectedAnswer, times: number) => void;
}

/** A real S3 server that refuses when it is told to. */
async function refusing(): Promise<Refusing> {
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await versitygw());
  let [answer, times]: [InjectedAnswer | undefined, number] = [undefined, 0];
  const faultFor: FaultFor = () => (times-- > 0 ? answer : undefined);
  const proxy = starting.use(await httpProxy(server.running.port, faultFor));
  const inner = await openStorage(`s3:http://127.0.0.1:${proxy.port}/bucket`, {
    create: true,
    environment: server.owner,
  });
  const pauses: number[] = [];
  const storage = starting.use(new RetryingStorage(inner, { clock: notingClock(pauses), listener: silent }));
  const started = starting.move();
  return {
    storage,
    pauses,
    refuse: (refusal, count) => ([answer, times] = [refusal, count]),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

test('S3 that asks to be asked less is given the time it names, and more by chance', { skip, timeout }, async () => {
  await using on = await refusing();
  const retryAfter = { 'retry-after': '7' };
  on.refuse(s3Refusal(503, 'SlowDown', retryAfter), 3);
  await on.storage.put('data/ab/cd', bytes);
  on.refuse(s3Refusal(429, 'TooManyRequests', retryAfter), 2);
  assert.deepEqual(await on.storage.get('data/ab/cd'), bytes[0]);
  on.refuse(s3Refusal(500, 'InternalError'), 2);
  await Array.fromAsync(on.storage.list(''));
  on.refuse(s3Refusal(503, 'SlowDown', { 'retry-after': new Date(Date.now() + 20_000).toUTCString() }), 1);
  await on.storage.stat('data/ab/cd');
  const [slow, many, failed, date] = [
    on.pauses.slice(0, 3),
    on.pauses.slice(3, 5),
    on.pauses.slice(5, 7),
    on.pauses.at(7),
  ];
  for (const pause of [...slow, ...many]) assert.ok(pause > 7000 && pause <= 7000 + 2000, String(pause));
  for (const pause of failed) assert.ok(pause <= 1000, String(pause));
  assert.ok(date !== undefined && date > 15_000 && date < 21_000, String(date));
});

test('S3 that never has time ends the attempts, and what it stored is unharmed', { skip, timeout }, async () => {
  await using on = await refusing();
  await on.storage.put('data/ab/cd', bytes);
  on.refuse(s3Refusal(503, 'SlowDown', { 'retry-after': '86400' }), Infinity);
  await assert.rejects(on.storage.get('data/ab/cd'), { code: 'storage-failed', message: /SlowDown/ });
  // A day is too much: five minutes each, for a quarter of an hour.
  assert.ok(on.pauses.length <= 3 && on.pauses.every((pause) => pause <= 302_000), on.pauses.join());
  on.refuse(s3Refusal(503, 'SlowDown'), Infinity);
  await assert.rejects(on.storage.put('data/ab/ef', bytes), { code: 'storage-failed', message: /SlowDown/ });
  assert.ok(on.pauses.length <= 3 + 9);
  on.refuse(s3Refusal(503, 'SlowDown'), 0);
  assert.deepEqual(await on.storage.get('data/ab/cd'), bytes[0]);
});

test('a request that waited too long to be sent is signed anew', { skip, timeout }, async () => {
  await using on = await refusing();
  await on.storage.put('config', bytes);
  on.refuse(s3Refusal(403, 'RequestTimeTooSkewed', { date: new Date().toUTCString() }), 1);
  assert.deepEqual(await on.storage.get('config'), bytes[0]);
  assert.equal(on.pauses.length, 1);
});

test(
  'a REST server that asks to be asked less is given the time it names',
  { skip: withoutRestServer(), timeout },
  async () => {
    await using server = await startRestServer();
    let refusals = 0;
    const busy: InjectedAnswer = { status: 503, headers: { 'retry-after': '7' } };
    await using proxy = await httpProxy(server.port, () => (refusals-- > 0 ? busy : undefined));
    const inner = await openStorage(`rest:http://127.0.0.1:${proxy.port}/team/`, { create: true });
    const pauses: number[] = [];
    await using storage = new RetryingStorage(inner, { clock: notingClock(pauses), listener: silent });
    refusals = 2;
    await storage.put('config', bytes);
    refusals = 1;
    assert.deepEqual(await storage.get('config'), bytes[0]);
    refusals = 1;
    await Array.fromAsync(storage.list('keys/'));
    assert.equal(pauses.length, 4);
    for (const pause of pauses) assert.ok(pause > 7000 && pause <= 8000, String(pause));
  },
);
