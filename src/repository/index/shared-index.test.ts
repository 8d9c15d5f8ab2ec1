import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { blobIdOf, fileIdOf, type BlobId, type FileId } from '../../bytes/ids.ts';
import type { BlobLocation } from '../index.ts';
import { SharedIndex } from './shared-index.ts';
import { BlobTable } from './table.ts';

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}

function blobId(number: number): BlobId {
  return blobIdOf(digest(`blob ${number}`));
}

function packId(number: number): FileId {
  return fileIdOf(digest(`pack ${number}`));
}

function locationText({ type, id, pack, offset, length, plainLength, compressed }: BlobLocation): string {
  return [type, id, pack, offset, length, plainLength, compressed].join(' ');
}

function sorted(locations: Iterable<BlobLocation>): readonly string[] {
  return [...locations].map(locationText).toSorted();
}

const location = fc.record({
  type: fc.constantFrom('data' as const, 'tree' as const),
  id: fc.nat(40).map(blobId),
  pack: fc.nat(6).map(packId),
  offset: fc.oneof(fc.nat(3), fc.integer({ min: 2 ** 32 - 3, max: 2 ** 32 - 1 })),
  length: fc.nat(2 ** 32 - 1),
  plainLength: fc.nat(2 ** 32 - 1),
  compressed: fc.boolean(),
});

test('the index answers as a plain list of locations does', () => {
  fc.assert(
    fc.property(fc.array(location, { maxLength: 120 }), (locations) => {
      const index = new SharedIndex();
      const model = new Map<string, BlobLocation>();
      for (const each of locations) {
        index.addPack(each.pack, [each]);
        const key = [each.type, each.id, each.pack, each.offset].join(' ');
        model.set(key, model.get(key) ?? each);
      }
      assert.equal(index.size, model.size);
      assert.deepEqual(sorted(index.all()), sorted(model.values()));
      for (const { type, id } of locations) {
        const expected = [...model.values()].filter((each) => each.type === type && each.id === id);
        assert.deepEqual(sorted(index.locations(type, id)), sorted(expected));
        const located = index.locate(type, id);
        assert.ok(located && sorted(expected).includes(locationText(located)));
        assert.equal(index.plainLength(type, id), located.plainLength);
      }
      for (const type of ['data', 'tree'] as const) assert.ok(!index.has(type, blobId(1000)));
    }),
    { numRuns: 200 },
  );
});

test('a blob is claimed once, until the claim is given back', () => {
  const index = new SharedIndex();
  const table = new BlobTable(index.attach());
  assert.ok(table.claim('data', blobId(1)) >= 0);
  assert.equal(table.claim('data', blobId(1)), -1);
  assert.ok(table.claim('tree', blobId(1)) >= 0, 'a tree of the same bytes is another blob');
  assert.ok(!index.has('data', blobId(1)), 'what is only claimed is not there');
  index.detach();
  const again = new BlobTable(index.attach());
  assert.ok(again.claim('data', blobId(1)) >= 0);
});

test('a stored blob is visible once an index file names it, and lost with its writer before', () => {
  const index = new SharedIndex();
  const table = new BlobTable(index.attach());
  const blobs = [1, 2].map((number) => {
    const slot = table.claim('data', blobId(number));
    return { slot, type: 'data', length: 40, plainLength: 8, compressed: false } as const;
  });
  index.place(packId(1), blobs);
  assert.ok(!index.has('data', blobId(1)));
  assert.equal(table.claim('data', blobId(1)), -1);
  index.markIndexed(blobs.slice(0, 1));
  index.detach();
  assert.ok(index.has('data', blobId(1)));
  assert.equal(index.size, 1);
  const again = new BlobTable(index.attach());
  assert.equal(again.claim('data', blobId(1)), -1);
  assert.ok(again.claim('data', blobId(2)) >= 0);
});

test('a copy of a known blob is a further location', () => {
  const index = new SharedIndex();
  const blob = { type: 'data', id: blobId(1), offset: 0, length: 40, plainLength: 8, compressed: false } as const;
  index.addPack(packId(1), [blob]);
  const slot = new BlobTable(index.attach()).claimCopy('data', blobId(1));
  index.place(packId(2), [{ ...blob, slot }]);
  assert.equal(index.locations('data', blobId(1)).length, 1);
  index.markIndexed([{ slot }]);
  assert.deepEqual(
    new Set(index.locations('data', blobId(1)).map(({ pack }) => pack)),
    new Set([packId(1), packId(2)]),
  );
});

test('a second writer is refused while one is attached', () => {
  const index = new SharedIndex();
  index.attach();
  assert.throws(() => index.attach(), { code: 'internal' });
  index.detach();
  index.attach();
});

test('200,000 blobs take at most 64 bytes each, and all are found', () => {
  const index = new SharedIndex();
  const blobsPerPack = 10;
  const count = 200_000;
  const ids = randomBytes(count * 32);
  for (let pack = 0; pack < count / blobsPerPack; pack += 1) {
    const blobs = Array.from({ length: blobsPerPack }, (_, number) => {
      const at = (pack * blobsPerPack + number) * 32;
      const id = blobIdOf(ids.subarray(at, at + 32));
      return { type: 'data', id, offset: number, length: 100, plainLength: 200, compressed: true } as const;
    });
    index.addPack(packId(pack), blobs);
  }
  assert.equal(index.size, count);
  assert.ok(index.sizeBytes / count <= 64, `${index.sizeBytes / count} bytes a blob`);
  for (let number = 0; number < count; number += 97) {
    const found = index.locate('data', blobIdOf(ids.subarray(number * 32, number * 32 + 32)));
    assert.equal(found?.pack, packId(Math.floor(number / blobsPerPack)));
    assert.equal(found.offset, number % blobsPerPack);
  }
});
