import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { HoldfastError, hasCode } from '../errors/error.ts';
import {
  compress,
  compressTransient,
  decompress,
  decompressPieces,
  decompressUnpacked,
  type CompressionMode,
} from './zstd.ts';

const modes: readonly CompressionMode[] = ['auto', 'off', 'fastest', 'better', 'max'];
const damaged = (error: unknown): boolean => hasCode(error, 'damaged');

/** Content that compresses a little, a lot, or not at all. */
const content = fc
  .record({ length: fc.nat(300_000), words: fc.integer({ min: 1, max: 60_000 }), seed: fc.nat(1000) })
  .map(({ length, words, seed }) => new Uint8Array(length).map((_, at) => ((at % words) * (seed + 7)) >> (seed % 5)));

test('each mode gives one frame that zstd itself reads back, and so do we', () => {
  fc.assert(
    fc.property(content, fc.constantFrom(...modes), (bytes, mode) => {
      const frame = compress(bytes, mode);
      assert.deepEqual(zstdDecompressSync(frame), Buffer.from(bytes));
      assert.deepEqual(decompress(frame, bytes.length), Buffer.from(bytes));
      assert.deepEqual(decompressUnpacked(frame, bytes.length), Buffer.from(bytes));
    }),
    { numRuns: 60 },
  );
});

test('frames of small, large, empty and incompressible content keep right one after the other', () => {
  for (const length of [0, 1, 500_000, 3, 20 * 2 ** 20, 17, 8 * 2 ** 20]) {
    const bytes = randomBytes(length);
    const frame = compress(bytes, 'auto');
    assert.ok(decompress(frame, length).every((byte, at) => byte === bytes[at]));
    assert.ok(frame.length <= length + length / 10_000 + 20, `${frame.length} of ${length}`);
  }
});

test('a frame names its content size, has no checksum and needs a window of 512 KiB at most', () => {
  for (const mode of modes) {
    const large = compress(
      new Uint8Array(3 * 2 ** 20).map((_, at) => at >> 5),
      mode,
    );
    const descriptor = large[4] ?? 0;
    assert.equal(descriptor & 0x24, 0, 'neither checksum nor single segment');
    assert.ok(descriptor >> 6 > 0, 'content size present');
    assert.ok(10 + ((large[5] ?? 0) >> 3) <= 19, 'window');
  }
});

test('a transient frame holds until the next call', () => {
  const bytes = Buffer.from('some text, some text, some text');
  assert.deepEqual(decompress(compressTransient(bytes, 'auto'), bytes.length), bytes);
});

test('a frame of another length than stated is damage, shorter or longer, in either reader', () => {
  fc.assert(
    fc.property(content, fc.integer({ min: 1, max: 5000 }), (bytes, difference) => {
      const frame = compress(bytes, 'fastest');
      assert.throws(() => decompress(frame, bytes.length + difference), damaged);
      if (bytes.length > difference) {
        assert.throws(() => decompress(frame, bytes.length - difference), damaged);
        assert.throws(() => decompressUnpacked(frame, bytes.length - difference), damaged);
      }
    }),
    { numRuns: 60 },
  );
});

test('a frame that hides its length is read when right and refused when not', () => {
  const bytes = Buffer.alloc(200_000, 'text ');
  const frame = zstdCompressSync(bytes, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } });
  assert.deepEqual(decompress(frame, bytes.length), bytes);
  assert.throws(() => decompress(frame, bytes.length - 1), damaged);
  assert.throws(() => decompress(frame, bytes.length + 1), damaged);
  assert.deepEqual(decompress(frame, bytes.length), bytes);
});

test('a bomb is refused before it takes the memory', () => {
  const bomb = zstdCompressSync(Buffer.alloc(64 * 2 ** 20), { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } });
  const before = process.memoryUsage.rss();
  assert.throws(() => decompress(bomb, 1000), damaged);
  assert.throws(() => decompressUnpacked(bomb, 1000), damaged);
  assert.throws(() => decompress(bomb, 2 ** 40), damaged);
  assert.ok(process.memoryUsage.rss() - before < 32 * 2 ** 20);
});

test('frames with large windows, several frames and checksums, as other clients write them, are read', () => {
  const bytes = Buffer.alloc(300_000, 'some words ');
  const checksummed = zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  assert.deepEqual(decompress(checksummed, bytes.length), bytes);
  const wide = zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_windowLog]: 26, [constants.ZSTD_c_contentSizeFlag]: 0 },
  });
  assert.deepEqual(decompress(wide, bytes.length), bytes);
  assert.deepEqual(decompressUnpacked(Buffer.concat([wide, checksummed]), 600_000), Buffer.concat([bytes, bytes]));
});

test('whatever is done to a frame, it gives the right length or is damage, and the next frame is read right', () => {
  const bytes = Buffer.from('The quick brown fox jumps over the lazy dog. '.repeat(200));
  const frame = compress(bytes, 'auto');
  const flips = fc.array(fc.tuple(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(flips, fc.nat(frame.length), (changes, keep) => {
      const broken = Buffer.from(frame);
      for (const [at, mask] of changes) broken[at] = (broken[at] ?? 0) ^ mask;
      for (const input of [broken, broken.subarray(0, keep), Buffer.concat([broken, frame])])
        mustFailCleanly(input, bytes.length);
      assert.deepEqual(decompress(frame, bytes.length), bytes);
    }),
    { numRuns: 500 },
  );
});

test('random bytes are damage', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(1000), (bytes, length) => {
      mustFailCleanly(bytes, length);
      mustFailCleanly(Buffer.concat([Uint8Array.fromHex('28b52ffd'), bytes]), length);
    }),
    { numRuns: 500 },
  );
});

function mustFailCleanly(input: Uint8Array, length: number): void {
  for (const read of [decompress, decompressUnpacked]) {
    try {
      const output = read(input, length);
      assert.ok(output.length === length || (read === decompressUnpacked && output.length < length));
    } catch (error) {
      assert.ok(error instanceof HoldfastError && error.code === 'damaged', String(error));
    }
  }
}

function pieced(frame: Uint8Array, length: number): Buffer {
  const pieces: Buffer[] = [];
  decompressPieces(frame, length, (piece) => pieces.push(Buffer.from(piece)));
  return Buffer.concat(pieces);
}

test('pieces make up the whole, whatever failed before them', () => {
  let failed = 0;
  fc.assert(
    fc.property(content, fc.nat(), fc.boolean(), (bytes, at, spoil) => {
      const frame = compress(bytes, 'auto');
      assert.deepEqual(pieced(frame, bytes.length), Buffer.from(bytes));
      if (!spoil) return;
      assert.throws(() => pieced(frame, bytes.length + 1), damaged);
      assert.throws(() => pieced(frame.subarray(0, at % frame.length), bytes.length), damaged);
      failed += 1;
    }),
    { numRuns: 60 },
  );
  assert.ok(failed > 10);
  const large = Buffer.concat([randomBytes(3_000_000), Buffer.alloc(3_000_000)]);
  assert.deepEqual(pieced(compress(large, 'auto'), large.length), large);
  assert.throws(() => pieced(compress(large, 'auto'), large.length - 1), damaged);
});

test('who takes pieces may fail with the first of them, and the next frame is read right all the same', () => {
  const large = Buffer.concat([randomBytes(600_000), Buffer.alloc(600_000)]);
  const frame = compress(large, 'auto');
  const taking = (): void => {
    decompressPieces(frame, large.length, () => {
      throw new Error('no room');
    });
  };
  assert.throws(taking, /no room/);
  assert.deepEqual(pieced(frame, large.length), large);
  assert.throws(taking, /no room/);
  assert.deepEqual(decompress(frame, large.length), large);
});
