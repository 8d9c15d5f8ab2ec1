import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { budget } from '../../../test/budget.ts';
import { blobIdOf, fileIdOf, type FileId } from '../../bytes/ids.ts';
import { SharedIndex } from '../index/shared-index.ts';
import { packOverheadBytes, type PackedBlob } from '../pack.ts';
import { accountPacks } from './account.ts';
import { decidePrune, type StoredPack } from './decide.ts';
import { pruneDefaults, type PruneOptions, type PrunePlan } from './plan.ts';

const kib = 1024;
const hourNs = 3_600_000_000_000n;
const nowNs = 1_000_000n * hourNs;

function packId(number: number): FileId {
  return fileIdOf(Buffer.alloc(32, number + 1));
}

function blobId(number: number): PackedBlob['id'] {
  return blobIdOf(Buffer.alloc(32, `blob ${number} `));
}

interface ModelBlob {
  readonly number: number;
  readonly type: 'data' | 'tree';
  readonly compressed: boolean;
  readonly length: number;
}

interface Model {
  /** Blobs of each pack. */
  readonly packs: readonly (readonly ModelBlob[])[];
  /** Numbers of the blobs that are used. */
  readonly used: ReadonlySet<number>;
  readonly options?: Partial<PruneOptions>;
  readonly marked?: ReadonlyMap<FileId, bigint | undefined>;
  readonly version?: 1 | 2;
}

interface Planned {
  readonly index: SharedIndex;
  readonly stored: Map<FileId, StoredPack>;
  readonly isUsed: (type: string, id: string) => boolean;
  readonly plan: PrunePlan;
}

/** Numbers stand for blobs of one type: even ones data, odd ones trees. */
function planOf(model: Model, change: (stored: Map<FileId, StoredPack>) => void = () => undefined): Planned {
  const index = new SharedIndex();
  const stored = new Map<FileId, StoredPack>();
  for (const [number, blobs] of model.packs.entries()) {
    let offset = 0;
    const packed = blobs.map(({ type, length, compressed, number: blob }) => {
      const plainLength = compressed ? length * 2 : length - 32;
      const at = { id: blobId(blob), type, offset, length, plainLength, compressed };
      offset += length;
      return at;
    });
    index.addPack(packId(number), packed);
    stored.set(packId(number), { sizeBytes: offset + packOverheadBytes(packed) });
  }
  change(stored);
  const usedIds = new Set([...model.used].map((number) => `${number % 2 === 0 ? 'data' : 'tree'} ${blobId(number)}`));
  const isUsed = (type: string, id: string): boolean => usedIds.has(`${type} ${id}`);
  const account = accountPacks(index, { size: usedIds.size, has: isUsed }, (pack) => stored.has(pack));
  const options = { ...pruneDefaults, ...model.options };
  const plan = decidePrune(
    { account, stored, marked: model.marked ?? new Map(), version: model.version ?? 2, nowNs },
    options,
  );
  return { index, stored, isUsed, plan };
}

function blob(number: number, lengthKib = 1000, compressed = true): ModelBlob {
  return { number, type: number % 2 === 0 ? 'data' : 'tree', compressed, length: lengthKib * kib };
}

const some = (...numbers: number[]): ReadonlySet<number> => new Set(numbers);
/** A pack of the usual size. */
const full = (...numbers: number[]): readonly ModelBlob[] =>
  numbers.map((number) => blob(number, (16 * kib) / numbers.length));

test('a pack whose blobs are all used stays, one without a used blob goes, and of a mixture the used part is kept', () => {
  const { plan } = planOf({
    packs: [full(0, 2), full(4, 6), full(8, 10)],
    used: some(0, 2, 8),
    options: { maxUnused: { kind: 'bytes', bytes: 0 } },
  });
  assert.deepEqual(plan.remove, [packId(1)]);
  assert.deepEqual(plan.repack, [packId(2)]);
  const { blobs, packs } = plan.statistics;
  assert.deepEqual(
    { ...blobs },
    { used: 3, duplicate: 0, unused: 3, total: 6, repack: 2, repackRemove: 1, remove: 2, removeTotal: 3, remaining: 3 },
  );
  assert.deepEqual(
    { ...packs },
    { used: 1, unused: 1, partlyUsed: 1, unreferenced: 0, keep: 1, repack: 1, remove: 1, total: 3, removeTotal: 1 },
  );
});

test('what may stay unused stays, the packs with the largest unused part going first', () => {
  const packs = [full(0, 2, 4, 6), full(8, 10, 12, 14), full(16, 18, 20, 22)];
  const used = some(0, 2, 4, 8, 16, 18);
  const repacked = (options: Partial<PruneOptions>): readonly FileId[] => planOf({ packs, used, options }).plan.repack;
  assert.deepEqual(repacked({ maxUnused: { kind: 'unlimited' } }), []);
  assert.deepEqual(repacked({ maxUnused: { kind: 'bytes', bytes: 12_000 * kib } }), [packId(1), packId(2)]);
  assert.deepEqual(repacked({ maxUnused: { kind: 'bytes', bytes: 0 } }), [packId(1), packId(2), packId(0)]);
  assert.deepEqual(repacked({ maxUnused: { kind: 'percent', percent: 30 } }), [packId(1), packId(2)]);
});

test('no more than --max-repack-size is rewritten, and nothing in a recovery without free space', () => {
  const packs = [full(0, 2), full(4, 6), full(8, 10)];
  const used = some(0, 4, 8);
  const maxUnused = { kind: 'bytes', bytes: 0 } as const;
  assert.equal(planOf({ packs, used, options: { maxUnused, maxRepackBytes: 40_000 * kib } }).plan.repack.length, 2);
  assert.equal(planOf({ packs, used, options: { maxUnused, unsafeRecoverNoFreeSpace: true } }).plan.repack.length, 0);
});

test('packs with data stay with --repack-cacheable-only, packs with trees do not', () => {
  const options = { maxUnused: { kind: 'bytes', bytes: 0 }, repackCacheableOnly: true } as const;
  const { plan } = planOf({ packs: [full(0, 2), full(1, 3)], used: some(0, 1), options });
  assert.deepEqual(plan.repack, [packId(1)]);
});

test('mixed packs and uncompressed trees are rewritten, uncompressed data only when asked for', () => {
  const packs = [full(0, 1), [blob(3, 16 * kib, false)], [blob(4, 16 * kib, false)]];
  const used = some(0, 1, 3, 4);
  assert.deepEqual(planOf({ packs, used }).plan.repack, [packId(0), packId(1)]);
  assert.deepEqual(planOf({ packs, used, options: { repackUncompressed: true } }).plan.repack, [
    packId(0),
    packId(1),
    packId(2),
  ]);
  assert.deepEqual(planOf({ packs, used, version: 1 }).plan.repack, [packId(0)]);
});

test('small packs are rewritten when there are ten, and with --repack-smaller-than those below it', () => {
  const packs = (count: number): Model['packs'] =>
    Array.from({ length: count }, (_, number) => [blob(number * 2, 100)]);
  const used = (count: number): ReadonlySet<number> =>
    new Set(Array.from({ length: count }, (_, number) => number * 2));
  assert.equal(planOf({ packs: packs(9), used: used(9) }).plan.repack.length, 0);
  assert.equal(planOf({ packs: packs(10), used: used(10) }).plan.repack.length, 10);
  assert.equal(
    planOf({ packs: packs(12), used: used(12), options: { repackSmallerThanBytes: 50 * kib } }).plan.repack.length,
    0,
  );
});

test('of a blob in two packs one copy is kept: where all are copies, as an interrupted prune leaves it', () => {
  const { plan } = planOf({ packs: [full(0, 2, 4), full(0, 2)], used: some(0, 2) });
  assert.deepEqual([plan.remove, plan.repack], [[packId(0)], []]);
  assert.equal(plan.statistics.blobs.duplicate, 2);
});

test('of a blob in two packs the copy among used blobs is kept', () => {
  const { plan } = planOf({ packs: [full(0, 2), full(0, 4)], used: some(0, 2) });
  assert.deepEqual([plan.remove, plan.repack], [[packId(1)], []]);
});

test('packs that no index names go when they are a day old, young ones and those of unknown age stay', () => {
  const { plan } = planOf({ packs: [full(0)], used: some(0) }, (stored) => {
    stored.set(packId(10), { sizeBytes: 5, modifiedNs: nowNs - 25n * hourNs });
    stored.set(packId(11), { sizeBytes: 6, modifiedNs: nowNs - 23n * hourNs });
    stored.set(packId(12), { sizeBytes: 7 });
  });
  assert.deepEqual(plan.removeUnindexed, [packId(10)]);
  assert.deepEqual(plan.leaveUnindexed, [packId(11), packId(12)]);
  assert.equal(plan.statistics.bytes.unreferenced, 5);
});

test('packs that rustic marked stay for 23 hours', () => {
  const marked = new Map([
    [packId(10), nowNs - 22n * hourNs],
    [packId(11), nowNs - 24n * hourNs],
    [packId(12), undefined],
  ]);
  const { plan } = planOf({ packs: [full(0)], used: some(0), marked }, (stored) => {
    for (const pack of marked.keys()) stored.set(pack, { sizeBytes: 5, modifiedNs: 0n });
  });
  assert.deepEqual(plan.removeUnindexed, [packId(11)]);
  assert.deepEqual(plan.unmark, [packId(11)]);
  assert.deepEqual(plan.leaveUnindexed, [packId(10), packId(12)]);
});

test('packs of unknown age are as old as rustic’s mark on them', () => {
  const marked = new Map([
    [packId(10), nowNs - 23n * hourNs - 1n],
    [packId(11), nowNs - 25n * hourNs],
  ]);
  const { plan } = planOf({ packs: [full(0)], used: some(0), marked }, (stored) => {
    for (const pack of marked.keys()) stored.set(pack, { sizeBytes: 5 });
  });
  assert.deepEqual([plan.removeUnindexed, plan.leaveUnindexed], [[packId(11)], [packId(10)]]);
});

test('nothing is pruned when a used blob is in no index, or a needed pack is missing or of a wrong size', () => {
  const model = { packs: [full(0), full(2)], used: some(0) };
  assert.throws(() => planOf({ ...model, used: some(0, 4) }), { code: 'blob-missing' });
  assert.throws(() => planOf(model, (stored) => stored.delete(packId(0))), { code: 'damaged' });
  assert.throws(() => planOf(model, (stored) => stored.set(packId(0), { sizeBytes: 9 })), { code: 'damaged' });
  assert.deepEqual(planOf(model, (stored) => stored.delete(packId(1))).plan.forget, [packId(1)]);
  assert.deepEqual(planOf(model, (stored) => stored.set(packId(1), { sizeBytes: 9 })).plan.remove, [packId(1)]);
});

test('a blob that stands in a missing pack and in another one is not missing', () => {
  const { plan } = planOf({ packs: [full(0), full(0, 2)], used: some(0, 2) }, (stored) => stored.delete(packId(0)));
  assert.deepEqual(plan.forget, [packId(0)]);
});

test('whatever stands where, no plan lets a used blob go, and the statistics add up', () => {
  const modelBlob = fc.record({
    number: fc.nat(30),
    compressed: fc.boolean(),
    length: fc.integer({ min: 40, max: 6000 * kib }),
  });
  const packs = fc.array(fc.uniqueArray(modelBlob, { minLength: 1, maxLength: 6, selector: ({ number }) => number }), {
    maxLength: 30,
  });
  const options = fc.record({
    maxUnused: fc.oneof(
      fc.constant({ kind: 'unlimited' as const }),
      fc.nat(99).map((percent) => ({ kind: 'percent' as const, percent })),
    ),
    maxRepackBytes: fc.constantFrom(Infinity, 10_000 * kib),
    repackCacheableOnly: fc.boolean(),
    repackUncompressed: fc.boolean(),
  });
  fc.assert(
    fc.property(packs, fc.array(fc.nat(30)), options, (contents, wanted, chosen) => {
      const present = new Set(contents.flat().map(({ number }) => number));
      const typed = contents.map((pack) =>
        pack.map((each): ModelBlob => ({ ...each, type: each.number % 2 === 0 ? 'data' : 'tree' })),
      );
      const { plan, index, isUsed, stored } = planOf({
        packs: typed,
        used: new Set(wanted.filter((number) => present.has(number))),
        options: chosen,
      });
      const removed = new Set(plan.remove);
      assert.equal(new Set([...plan.remove, ...plan.repack]).size, plan.remove.length + plan.repack.length);
      for (const { type, id } of index.all()) {
        if (isUsed(type, id)) assert.ok(index.locations(type, id).some(({ pack }) => !removed.has(pack)));
      }
      const { blobs, bytes, packs: count } = plan.statistics;
      assert.equal(blobs.total, index.size);
      assert.equal(blobs.used + blobs.duplicate + blobs.unused, index.size);
      assert.equal(count.keep + count.repack + count.remove, stored.size);
      assert.ok(bytes.remainingUnused >= 0 && bytes.remaining >= bytes.used);
    }),
    { numRuns: budget.propertyRuns },
  );
});
