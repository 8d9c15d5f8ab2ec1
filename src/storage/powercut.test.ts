import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Image, MemoryStorage } from './memory.ts';
import { countOperations, CutStorage, cutAt, everyCut, PowerCut, type CutPoint, type Fate } from './powercut.ts';
import type { Storage } from './storage.ts';
import { conformanceOf, needsStaging } from '../../test/support/conformance.ts';

const bytes = new Uint8Array([1]);
const image: Image = new Map([['old', bytes]]);

const inTurn = async (storage: Storage): Promise<void> => {
  await storage.put('a', [bytes]);
  await storage.get('a');
  await storage.put('b', [bytes]);
  await storage.remove('old');
};

const atOnce = async (storage: Storage): Promise<void> => {
  await Promise.all(['a', 'b', 'c'].map((key) => storage.put(key, [bytes])));
};

async function keysAfter(program: (storage: Storage) => Promise<void>, point: CutPoint, fate: Fate): Promise<string> {
  const { reached, error, survivors } = await cutAt({ image }, point, program);
  assert.ok(reached);
  assert.ok(error instanceof PowerCut);
  return [...survivors(fate).durable.keys()].toSorted().join(' ');
}

test('operations are counted as they begin', async () => {
  assert.equal(await countOperations({ image }, inTurn), 4);
  assert.equal(await countOperations({ image }, atOnce), 3);
});

test('a cut before, during and after an operation leaves its effect absent, uncertain and there', async () => {
  assert.equal(await keysAfter(inTurn, { operation: 3, mode: 'before' }, 'kept'), 'a old');
  assert.equal(await keysAfter(inTurn, { operation: 3, mode: 'during' }, 'lost'), 'a old');
  assert.equal(await keysAfter(inTurn, { operation: 3, mode: 'during' }, 'kept'), 'a b old');
  assert.equal(await keysAfter(inTurn, { operation: 3, mode: 'after' }, 'lost'), 'a b old');
  assert.equal(await keysAfter(inTurn, { operation: 4, mode: 'during' }, 'lost'), 'a b old');
  assert.equal(await keysAfter(inTurn, { operation: 4, mode: 'during' }, 'kept'), 'a b');
});

test('of effects under way at the same time any part survives, the later without the earlier too', async () => {
  assert.equal(await keysAfter(atOnce, { operation: 3, mode: 'during' }, 'lost'), 'old');
  assert.equal(await keysAfter(atOnce, { operation: 3, mode: 'during' }, 'kept'), 'a b c old');
  const seen = new Set<string>();
  for (let seed = 1; seed <= 64; seed++) seen.add(await keysAfter(atOnce, { operation: 3, mode: 'during' }, { seed }));
  assert.equal(seen.size, 8);
});

test('after the cut every call fails, and no effect comes true any more', async () => {
  const storage = new CutStorage({ image }, { operation: 1, mode: 'before' });
  await assert.rejects(storage.put('a', [bytes]), PowerCut);
  await assert.rejects(storage.put('b', [bytes]), PowerCut);
  await assert.rejects(storage.get('old'), PowerCut);
  await assert.rejects(storage.remove('old'), PowerCut);
  await assert.rejects(Array.fromAsync(storage.list('')), PowerCut);
  assert.deepEqual([...storage.survivors('kept').durable.keys()], ['old']);
});

test('every cut of a program is told apart, and what was confirmed before it survives', async () => {
  let cuts = 0;
  for (const { point, fate } of everyCut(4)) {
    const confirmed: string[] = [];
    const { reached, survivors } = await cutAt({ image }, point, async (storage) => {
      for (const key of ['a', 'b', 'c', 'd']) {
        await storage.put(key, [bytes]);
        confirmed.push(key);
      }
    });
    assert.ok(reached);
    const left: MemoryStorage = survivors(fate);
    for (const key of confirmed) assert.ok(left.durable.has(key));
    cuts++;
  }
  assert.equal(cuts, 20);
});

test('a program that ends before the cut is told so', async () => {
  const { reached, error } = await cutAt({ image }, { operation: 9, mode: 'during' }, inTurn);
  assert.equal(reached, false);
  assert.equal(error, undefined);
});

test('without a cut it keeps the contract', async () => {
  const { results } = await conformanceOf(new CutStorage({ image }));
  assert.deepEqual(
    results.filter(({ outcome }) => outcome !== 'kept').map(({ name }) => name),
    [needsStaging],
  );
});
