import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { budget } from '../../test/budget.ts';
import { blobIdOf } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import {
  decodeHeader,
  encodeHeader,
  maxHeaderBytes,
  packOverheadBytes,
  packTail,
  readSealedHeader,
  type PackedBlob,
} from './pack.ts';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const blob = fc
  .record({
    hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    type: fc.constantFrom('data' as const, 'tree' as const),
    length: fc.integer({ min: 32, max: 0xffffffff }),
    compressedTo: fc.option(u32),
  })
  .map(({ hash, type, length, compressedTo }) => ({
    id: blobIdOf(hash),
    type,
    length,
    plainLength: compressedTo ?? length - 32,
    compressed: compressedTo !== null,
  }));

function placed(blobs: readonly Omit<PackedBlob, 'offset'>[]): readonly PackedBlob[] {
  let offset = 0;
  return blobs.map((each) => {
    const at = { ...each, offset };
    offset += each.length;
    return at;
  });
}

function total(blobs: readonly { readonly length: number }[]): number {
  return blobs.reduce((sum, { length }) => sum + length, 0);
}

test('a header read back names the blobs that were written, with their offsets', () => {
  fc.assert(
    fc.property(fc.array(blob, { maxLength: 40 }), (blobs) => {
      const header = encodeHeader(blobs);
      assert.equal(header.length + 36, packOverheadBytes(blobs));
      assert.deepEqual(decodeHeader(header, total(blobs)), placed(blobs));
    }),
    { numRuns: budget.propertyRuns },
  );
});

test('any bytes are a header or are refused as damaged, never read beyond their end', () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        const blobs = decodeHeader(bytes, 2 ** 40);
        assert.equal(packOverheadBytes(blobs) - 36, bytes.length);
      } catch (error) {
        assert.ok(error instanceof HoldfastError && error.code === 'damaged');
        refused += 1;
      }
    }),
    { numRuns: budget.fuzzRuns },
  );
  assert.ok(refused > budget.fuzzRuns / 2);
});

test('blobs that reach into the header are damaged', () => {
  fc.assert(
    fc.property(fc.array(blob, { minLength: 1, maxLength: 10 }), (blobs) => {
      assert.throws(() => decodeHeader(encodeHeader(blobs), total(blobs) - 1), { code: 'damaged' });
    }),
    { numRuns: budget.propertyRuns },
  );
});

async function found(pack: Uint8Array): Promise<{ readonly sealed: Uint8Array; readonly reads: readonly number[] }> {
  const reads: number[] = [];
  const { sealed } = await readSealedHeader(pack.length, async (offset, length) => {
    assert.ok(offset >= 0 && offset + length <= pack.length);
    reads.push(length);
    return pack.subarray(offset, offset + length);
  });
  return { sealed, reads };
}

test('the sealed header of a pack is found in one read when it is short, in two when it is long', async () => {
  for (const [headerBytes, expectedReads] of [
    [69, 1],
    [647, 1],
    [648, 2],
    [100_000, 2],
  ] as const) {
    const header = new Uint8Array(headerBytes).fill(7);
    const pack = Buffer.concat([new Uint8Array(5000), packTail(header)]);
    const { sealed, reads } = await found(pack);
    assert.deepEqual(new Uint8Array(sealed), header);
    assert.equal(reads.length, expectedReads);
  }
});

test('a hostile header length is refused without reading what it asks for', async () => {
  for (const length of [0, 31, 5001, maxHeaderBytes + 1, 0xffffffff]) {
    const pack = new Uint8Array(5000);
    new DataView(pack.buffer).setUint32(4996, length, true);
    await assert.rejects(found(pack), { code: 'damaged' });
  }
  await assert.rejects(found(new Uint8Array(35)), { code: 'damaged' });
});
