import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock/manual-clock.ts';
import type { Event } from '../events/events.ts';
import { HoldfastError } from '../errors/error.ts';
import { silent } from '../events/events.ts';
import { FaultyStorage, seededFaults, type Fault, type FaultOptions, type Operation } from './fault.ts';
import { MemoryStorage } from './memory.ts';
import { VersionedMemoryStorage } from './memory-versions.ts';
import { RetryingStorage } from './retry.ts';
import type { VersionInfo, VersionListOptions } from './versions.ts';
import { conformanceOf, needsStaging } from '../../test/support/conformance.ts';

const bytes = new Uint8Array([1, 2, 3]);
const other = new Uint8Array([4, 5, 6]);

/** Faults for the first operations, in turn. */
function first(...faults: readonly (Fault | undefined)[]): FaultOptions {
  return { faultFor: ({ number }: Operation) => faults[number - 1] };
}

interface Trial {
  readonly clock: ManualClock;
  readonly events: readonly Event[];
  readonly inner: MemoryStorage;
  readonly storage: RetryingStorage;
}

function retrying(faults: FaultOptions, inner = new MemoryStorage()): Trial {
  const clock = new ManualClock({ leaping: true });
  const events: Event[] = [];
  const options = { clock, listener: (event: Event) => void events.push(event) };
  return { clock, events, inner, storage: new RetryingStorage(new FaultyStorage(inner, faults), options) };
}

test('passing errors pass, and each retry is told', async () => {
  const { storage, events } = retrying(first('error', 'lost-answer', 'error'));
  await storage.put('a/b', [bytes]);
  assert.deepEqual(await storage.get('a/b'), bytes);
  assert.equal(events.length, 3);
});

test('errors that do not pass are given back in bounded time', async () => {
  const { storage, clock } = retrying({ faultFor: () => 'error' });
  await assert.rejects(storage.put('a/b', [bytes]), { code: 'storage-failed' });
  await assert.rejects(storage.get('a/b'), { code: 'storage-failed' });
  await assert.rejects(Array.fromAsync(storage.list('')), { code: 'storage-failed' });
  assert.ok(clock.monotonicMs() <= 3 * 16 * 60_000);
});

test('a storage that never answers is a timeout in bounded time, for every operation', async () => {
  const { storage, clock } = retrying({ faultFor: () => 'stall' });
  const timeout = { code: 'storage-timeout' };
  await assert.rejects(storage.put('a/b', [bytes]), timeout);
  await assert.rejects(storage.get('a/b'), timeout);
  await assert.rejects(storage.stat('a/b'), timeout);
  await assert.rejects(Array.fromAsync(storage.list('')), timeout);
  await assert.rejects(storage.remove('a/b'), timeout);
  assert.ok(clock.monotonicMs() <= 5 * 26 * 60_000, `${clock.monotonicMs()}`);
});

test('clearing away leftovers of a storage that never answers ends in bounded time', async () => {
  const clock = new ManualClock({ leaping: true });
  const inner = Object.assign(new MemoryStorage(), {
    removeLeftovers: async () => await new Promise<number>(() => {}),
  });
  const storage = new RetryingStorage(inner, { clock, listener: silent });
  await assert.rejects(async () => await storage.removeLeftovers?.(0n), { code: 'storage-timeout' });
  assert.ok(clock.monotonicMs() <= 30 * 60_000, `${clock.monotonicMs()}`);
});

test('what takes the place of an object of ours is not read further than ours is long', async () => {
  const inner = new MemoryStorage(new Map([['a', new Uint8Array(1000)]]));
  const asked: unknown[] = [];
  const get = inner.get.bind(inner);
  inner.get = async (key, options) => {
    asked.push(options?.maxBytes);
    return await get(key, options);
  };
  const { storage } = retrying(first('error'), inner);
  await assert.rejects(storage.put('a', [bytes], { ifAbsent: true }), { code: 'storage-exists' });
  assert.deepEqual(asked, [bytes.length]);
});

test('one stalled attempt is given up and repeated', async () => {
  const { storage } = retrying(first('stall', undefined, 'stall'));
  await storage.put('a/b', [bytes]);
  assert.equal((await Array.fromAsync(storage.list('a/'))).length, 1);
});

test('certain answers are not repeated', async () => {
  const { storage, events } = retrying({});
  await assert.rejects(storage.get('absent'), { code: 'storage-not-found' });
  await assert.rejects(storage.remove('absent'), { code: 'storage-not-found' });
  await storage.put('a', [bytes]);
  await assert.rejects(storage.put('a', [other], { ifAbsent: true }), { code: 'storage-exists' });
  assert.equal(events.length, 0);
});

test('a full storage is told at once', async () => {
  const { storage, events } = retrying({ fullAfterBytes: 5 });
  await storage.put('a', [bytes]);
  await assert.rejects(storage.put('b', [bytes]), { code: 'storage-full' });
  assert.equal(events.length, 0);
});

test('a creation whose answer was lost succeeds when the object is ours, and fails when it is another', async () => {
  const ours = retrying(first('lost-answer'));
  await ours.storage.put('a', [bytes], { ifAbsent: true });
  const theirs = retrying(first('error'), new MemoryStorage(new Map([['a', other]])));
  await assert.rejects(theirs.storage.put('a', [bytes], { ifAbsent: true }), { code: 'storage-exists' });
  assert.deepEqual(await theirs.inner.get('a'), other);
});

test('a creation that something on the way repeated succeeds when the object is ours', async () => {
  const twice = new MemoryStorage(new Map([['a', bytes]]));
  const { storage } = retrying({}, twice);
  await storage.put('a', [bytes], { ifAbsent: true });
  await assert.rejects(storage.put('a', [other], { ifAbsent: true }), { code: 'storage-exists' });
  assert.deepEqual(await twice.get('a'), bytes);
});

test('a removal whose answer was lost succeeds', async () => {
  const { storage, inner } = retrying(first(undefined, 'lost-answer'));
  await storage.put('a', [bytes]);
  await storage.remove('a');
  assert.equal(inner.durable.size, 0);
});

test('giving up ends the pause between attempts with the reason', async () => {
  const clock = new ManualClock();
  const faulty = new FaultyStorage(new MemoryStorage(), { faultFor: () => 'error' });
  const storage = new RetryingStorage(faulty, { clock, listener: silent });
  const controller = new AbortController();
  const putting = storage.put('a', [bytes], { signal: controller.signal });
  await clock.sleeping(1);
  controller.abort(new Error('stop'));
  await assert.rejects(putting, /stop/);
});

test('the contract is kept over a storage that errs by chance', async () => {
  const { storage, events } = retrying({
    faultFor: seededFaults(7, { 'error': 0.05, 'lost-answer': 0.02, 'stall': 0.002 }),
  });
  const { results } = await conformanceOf(storage);
  assert.deepEqual(
    results.filter(({ outcome }) => outcome !== 'kept').map(({ name }) => name),
    [needsStaging],
  );
  assert.ok(events.length > 50, `${events.length} retries`);
});

test('a staged object that stalls ends in bounded time, and one that does not comes through', async () => {
  const never = new Promise<never>(() => undefined);
  const written: Uint8Array[] = [];
  const stages = (answer: Promise<void>): MemoryStorage =>
    Object.assign(new MemoryStorage(), {
      stage: async () => ({
        write: async (data: readonly Uint8Array[]) => void written.push(...data),
        commit: () => answer,
        read: async () => Buffer.concat(written),
        [Symbol.asyncDispose]: async () => undefined,
      }),
    });
  const options = { clock: new ManualClock({ leaping: true }), listener: silent };
  for (const answer of [Promise.resolve(), never]) {
    const staged = await new RetryingStorage(stages(answer), options).stage?.();
    assert.ok(staged);
    await staged.write([bytes]);
    const commit = staged.commit('data/ab/cd');
    await (answer === never ? assert.rejects(commit, { code: 'storage-timeout' }) : commit);
  }
  assert.deepEqual(written, [bytes, bytes]);
  assert.equal(new RetryingStorage(new MemoryStorage(), options).stage, undefined);
});

test('a write to a staged object that fails is repeated, one without an answer is not', async () => {
  const failure = new HoldfastError('storage-failed', 'input/output error');
  const answers: Promise<void>[] = [];
  const storage = Object.assign(new MemoryStorage(), {
    stage: async () => ({
      write: async () => answers.shift(),
      commit: async () => undefined,
      read: async () => bytes,
      [Symbol.asyncDispose]: async () => undefined,
    }),
  });
  const clock = new ManualClock({ leaping: true });
  const staged = await new RetryingStorage(storage, { clock, listener: silent }).stage?.();
  const failed = Array.from({ length: 3 }, () => Promise.reject(failure));
  for (const answer of failed) answer.catch(() => undefined);
  answers.push(...failed, Promise.resolve());
  await staged?.write([bytes]);
  assert.equal(answers.length, 0);
  answers.push(new Promise(() => undefined), Promise.resolve());
  await assert.rejects(staged?.write([bytes]) ?? assert.fail(), { code: 'storage-timeout' });
  assert.equal(answers.length, 1);
});

test('a list of many versions that breaks off goes on where it was, and is never held whole', async () => {
  const inner = new VersionedMemoryStorage(new ManualClock());
  const total = 26_000;
  let asked = 0;
  let ahead = 0;
  let given = 0;
  Object.assign(inner.versions, {
    list: async function* (_prefix: string, { after = '' }: VersionListOptions = {}): AsyncGenerator<VersionInfo> {
      asked += 1;
      const none = { sizeBytes: 0, modifiedNs: 0n, latest: false, deleted: false };
      for (let n = after === '' ? 0 : Number(after.slice(2)) * 4 + 4; n < total; n += 1) {
        if (asked % 2 === 1 && n % 10_000 === 9_000) throw new HoldfastError('storage-failed', 'broke off');
        ahead = Math.max(ahead, n - given);
        yield { ...none, key: `k/${String(n >> 2).padStart(5, '0')}`, version: String(n) };
      }
    },
  });
  const storage = new RetryingStorage(inner, { clock: new ManualClock({ leaping: true }), listener: silent });
  const seen = new Set<string>();
  for await (const { version } of storage.versions?.list('k/') ?? []) given = seen.add(version).size;
  assert.equal(given, total);
  assert.ok(asked > 3 && ahead <= 10_010, `${asked} lists, ${ahead} ahead`);
});
