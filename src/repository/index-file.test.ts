import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { budget } from '../../test/budget.ts';
import { parseFields } from '../bytes/fields.ts';
import { blobIdOf, fileIdOf } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { decodeIndexFile, encodeIndexFile, indexedPacks, type IndexedPack } from './index-file.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const blob = fc
  .record({
    hash,
    type: fc.constantFrom('data' as const, 'tree' as const),
    offset: fc.integer({ min: 0, max: 0xffffffff }),
    length: fc.integer({ min: 32, max: 0xffffffff }),
    compressedFrom: fc.option(fc.integer({ min: 1, max: 0xffffffff })),
  })
  .map(({ hash: bytes, type, offset, length, compressedFrom }) => ({
    id: blobIdOf(bytes),
    type,
    offset,
    length,
    plainLength: compressedFrom ?? length - 32,
    compressed: compressedFrom !== null,
  }));
const other = fc.constantFrom({}, { time: '2026-08-01T10:00:00+02:00', size: 12345678 });
const pack = fc
  .record({ hash, blobs: fc.array(blob, { maxLength: 8 }), other })
  .map(({ hash: bytes, ...rest }): IndexedPack => ({ id: fileIdOf(bytes), ...rest }));

test('an index read back is what was written, with the fields and packs that only rustic knows', () => {
  fc.assert(
    fc.property(fc.array(pack, { maxLength: 5 }), fc.array(pack, { maxLength: 2 }), (packs, packsToDelete) => {
      const index = { packs, packsToDelete, other: { supersedes: ['x'] } };
      assert.deepEqual(decodeIndexFile(encodeIndexFile(index), 'index'), index);
    }),
    { numRuns: budget.propertyRuns },
  );
});

test('packs read one by one are those of the whole file, however it is written', () => {
  fc.assert(
    fc.property(fc.array(pack, { maxLength: 5 }), fc.constantFrom({}, { supersedes: ['x'] }), (packs, fields) => {
      const plaintext = Buffer.from(encodeIndexFile({ packs, packsToDelete: [], other: fields }));
      const spaced = Buffer.from(JSON.stringify(JSON.parse(plaintext.toString()), undefined, 1));
      for (const bytes of [plaintext, plaintext.subarray(0, -1), spaced]) {
        assert.deepEqual([...indexedPacks(bytes, 'index')], packs);
      }
    }),
    { numRuns: budget.propertyRuns },
  );
});

test('an index changed in any byte gives the same packs one by one as at once, or is refused by both', () => {
  const change = fc.tuple(fc.nat(), fc.nat(127));
  fc.assert(
    fc.property(fc.array(pack, { minLength: 1, maxLength: 3 }), change, (packs, [at, byte]) => {
      const bytes = Buffer.from(encodeIndexFile({ packs, packsToDelete: [], other: {} }));
      bytes[at % bytes.length] = byte;
      const outcome = (read: () => unknown): unknown => {
        try {
          return read();
        } catch (error) {
          assert.ok(error instanceof HoldfastError && error.code === 'damaged');
          return 'damaged';
        }
      };
      const whole = outcome(() => decodeIndexFile(bytes, 'index').packs);
      assert.deepEqual(
        outcome(() => [...indexedPacks(bytes, 'index')]),
        whole,
      );
    }),
    { numRuns: budget.fuzzRuns },
  );
});

test('an index without rustic packs has only the key that restic writes', () => {
  const fields = parseFields(encodeIndexFile({ packs: [], packsToDelete: [], other: {} }), 'index');
  assert.deepEqual(fields, { packs: [] });
});

test('an index with null for an empty list is read', () => {
  assert.deepEqual(decodeIndexFile(Buffer.from('{"packs":null}'), 'index').packs, []);
});

test('an index that is wrong anywhere is refused as damaged', () => {
  const id = 'a'.repeat(64);
  const good = { id, type: 'data', offset: 0, length: 40 };
  for (const bad of [
    { id: id.toUpperCase() },
    { id: 7 },
    { type: 'secret' },
    { offset: -1 },
    { offset: 1.5 },
    { length: 31 },
    { length: 2 ** 32 },
    { uncompressed_length: '9' },
  ]) {
    const json = JSON.stringify({ packs: [{ id, blobs: [{ ...good, ...bad }] }] });
    assert.throws(() => decodeIndexFile(Buffer.from(json), 'index'), { code: 'damaged' }, json);
  }
});

test('any JSON and any bytes are an index or are refused as damaged', () => {
  let refused = 0;
  const survives = (bytes: Uint8Array): void => {
    try {
      decodeIndexFile(bytes, 'index');
    } catch (error) {
      assert.ok(error instanceof HoldfastError && error.code === 'damaged');
      refused += 1;
    }
  };
  const json = fc.json({ maxDepth: 4 }).map((text) => Buffer.from(`{"packs":${text}}`));
  fc.assert(fc.property(json, survives), { numRuns: budget.fuzzRuns });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), survives), { numRuns: budget.fuzzRuns });
  assert.ok(refused > budget.fuzzRuns);
});

test('an index that would swell when parsed is refused before', () => {
  for (const part of ['[],', '{},', '0,', '"":0,']) {
    const json = Buffer.from(`{"packs":[${part.repeat(100_000)}0]}`);
    assert.throws(() => decodeIndexFile(json, 'index'), { code: 'damaged', message: /punctuation/ }, part);
  }
});
