import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultyStorage, seededFaults, type Fault } from './fault.ts';
import { MemoryStorage } from './memory.ts';

const bytes = new Uint8Array([1, 2, 3, 4]);

function faulty(fault: Fault): { readonly inner: MemoryStorage; readonly storage: FaultyStorage } {
  const inner = new MemoryStorage(
    new Map([
      ['old', bytes],
      ['older', bytes],
    ]),
  );
  return { inner, storage: new FaultyStorage(inner, { faultFor: () => fault }) };
}

test('an error has no effect, a lost answer has its effect', async () => {
  const error = faulty('error');
  await assert.rejects(error.storage.put('new', [bytes]), { code: 'storage-failed' });
  assert.equal(error.inner.durable.has('new'), false);
  const lost = faulty('lost-answer');
  await assert.rejects(lost.storage.remove('old'), { code: 'storage-timeout' });
  assert.equal(lost.inner.durable.has('old'), false);
});

test('a lie confirms what never happens', async () => {
  const { inner, storage } = faulty('lie');
  await storage.put('new', [bytes]);
  await storage.remove('old');
  assert.deepEqual([...inner.durable.keys()], ['old', 'older']);
});

test('bytes are cut or flipped on the way in and out', async () => {
  for (const [fault, wanted] of [
    ['truncate', [1, 2]],
    ['flip', [1, 2, 19, 4]],
  ] as const) {
    const { inner, storage } = faulty(fault);
    await storage.put('new', [bytes]);
    assert.deepEqual([...(inner.durable.get('new') ?? [])], wanted);
    assert.deepEqual([...(await storage.get('old'))], wanted);
  }
});

test('a stale list misses a part', async () => {
  const { storage } = faulty('stale-list');
  assert.deepEqual(
    (await Array.fromAsync(storage.list(''))).map(({ key }) => key),
    ['old'],
  );
});

test('a stall ends with the signal alone', async () => {
  const { storage } = faulty('stall');
  const controller = new AbortController();
  const getting = storage.get('old', { signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(getting, /enough/);
});

test('faults by chance repeat themselves for a seed and come at their rates', () => {
  const draw = (seed: number): readonly (Fault | undefined)[] => {
    const faultFor = seededFaults(seed, { error: 0.3, stall: 0.1 });
    return Array.from({ length: 2000 }, (_, n) => faultFor({ kind: 'get', key: 'a', number: n + 1 }));
  };
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
  const errors = draw(3).filter((fault) => fault === 'error').length;
  assert.ok(errors > 500 && errors < 700, `${errors} of 2000`);
});
