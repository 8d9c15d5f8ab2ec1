import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasCode } from '../errors/error.ts';
import { RabinChunker, resticLimits, type ChunkLimits } from './chunker.ts';
import { parsePolynomial, type Polynomial } from './polynomial.ts';

const published = parsePolynomial('3da3358b4dc173');
const other = parsePolynomial('2482734cacca49');

/** Cuts `content` through the chunker's buffer, read by pieces of these lengths in turn, then as the buffer allows. */
function chunkLengths(chunker: RabinChunker, content: Uint8Array, pieces: readonly number[] = []): number[] {
  const lengths: number[] = [];
  const { buffer } = chunker;
  let read = 0;
  let start = 0;
  let end = 0;
  for (let round = 0; start < end || read < content.length; round += 1) {
    if (end === buffer.length) {
      buffer.copyWithin(0, start, end);
      end -= start;
      start = 0;
    }
    const piece = content.subarray(
      read,
      read + Math.min(pieces[round % pieces.length] ?? buffer.length, buffer.length - end),
    );
    buffer.set(piece, end);
    read += piece.length;
    end += piece.length;
    for (;;) {
      const length = chunker.next(start, end, read === content.length ? 'final' : 'more');
      if (length === 0) break;
      lengths.push(length);
      start += length;
    }
  }
  return lengths;
}

/** The definition, bit by bit: every window from its own bytes' polynomial, one position after the other. */
function chunkLengthsByDefinition(polynomial: Polynomial, limits: ChunkLimits, content: Uint8Array): number[] {
  const timesX = (value: bigint, count: number): bigint => {
    let result = value;
    for (let i = 0; i < count; i += 1) result = (result << 1n) ^ (result >> 52n === 1n ? polynomial : 0n);
    return result;
  };
  const leaving = Array.from({ length: 256 }, (_, byte) => timesX(BigInt(byte), 8 * 64));
  const mask = (1n << BigInt(limits.averageBits)) - 1n;
  const lengths: number[] = [];
  let digest = 0n;
  let start = 0;
  for (const [at, byte] of content.entries()) {
    digest = timesX(digest, 8) ^ BigInt(byte) ^ (leaving[content[at - 64] ?? 0] ?? 0n);
    const length = at + 1 - start;
    if (length < limits.minBytes || (length < limits.maxBytes && (digest & mask) !== 0n)) continue;
    lengths.push(length);
    start = at + 1;
  }
  if (start < content.length) lengths.push(content.length - start);
  return lengths;
}

/** A linear congruential generator's high bytes: the same in every language. */
function pseudoRandom(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

test("the cuts are those of restic's own chunker, for its sizes and polynomial", () => {
  assert.deepEqual(
    chunkLengths(new RabinChunker(published), pseudoRandom(24 * 2 ** 20)),
    // Printed by github.com/restic/chunker 0.4.0.
    [1257677, 895311, 699655, 4267819, 924995, 661016, 689405, 1737290, 4622700, 2009431, 1528010, 5872515],
  );
});

test("the cuts are those of restic's own chunker, for other sizes and another polynomial", () => {
  const limits = { minBytes: 128 * 1024, maxBytes: 512 * 1024, averageBits: 16 };
  assert.deepEqual(
    chunkLengths(new RabinChunker(other, { limits }), pseudoRandom(24 * 2 ** 20)).slice(29, 41),
    [138470, 132709, 141901, 149737, 152539, 200500, 524288, 210601, 230433, 172641, 207775, 211656],
  );
});

test('zeros are cut at the minimum', () => {
  const min = resticLimits.minBytes;
  assert.deepEqual(chunkLengths(new RabinChunker(published), new Uint8Array(4 * min + 5)), [min, min, min, min, 5]);
});

/** Random content with runs of zeros and repetitions, which hit many positions at once. */
const content = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 12_000 }), fc.constantFrom('zeros', 'random', 'repeated'), fc.nat()), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) =>
    Buffer.concat(
      parts.map(([length, kind, seed]) => {
        if (kind === 'zeros') return new Uint8Array(length);
        const random = pseudoRandom(length, seed);
        return kind === 'random' ? random : random.map((_, at) => random[at % 100] ?? 0);
      }),
    ),
  );

const limits = fc
  .record({
    minBytes: fc.integer({ min: 64, max: 3000 }),
    more: fc.nat(60_000),
    averageBits: fc.integer({ min: 1, max: 18 }),
  })
  .map(({ minBytes, more, averageBits }) => ({ minBytes, maxBytes: minBytes + more, averageBits }));

test('the cuts are those of the definition, however the content is read', () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 30_000 }), { maxLength: 5 });
  fc.assert(
    fc.property(content, limits, fc.constantFrom(published, other), pieces, (bytes, sizes, polynomial, lengths) => {
      const chunker = new RabinChunker(polynomial, { limits: sizes });
      const expected = chunkLengthsByDefinition(polynomial, sizes, bytes);
      assert.deepEqual(chunkLengths(chunker, bytes, lengths), expected);
      assert.deepEqual(chunkLengths(chunker, bytes), expected, 'a second content in the same chunker');
    }),
    { numRuns: 60 },
  );
});

test('chunks join to the content and keep the limits', () => {
  fc.assert(
    fc.property(content, limits, (bytes, sizes) => {
      const lengths = chunkLengths(new RabinChunker(published, { limits: sizes }), bytes);
      assert.equal(
        lengths.reduce((sum, length) => sum + length, 0),
        bytes.length,
      );
      assert.ok(lengths.every((length) => length <= sizes.maxBytes));
      assert.ok(lengths.slice(0, -1).every((length) => length >= sizes.minBytes));
    }),
    { numRuns: 60 },
  );
});

test('an insertion changes only the chunks near it', () => {
  const sizes = { minBytes: 1024, maxBytes: 16_384, averageBits: 12 };
  const chunker = new RabinChunker(published, { limits: sizes });
  const bytes = pseudoRandom(2 ** 20);
  const changed = Buffer.concat([bytes.subarray(0, 300_000), Buffer.from('inserted'), bytes.subarray(300_000)]);
  const before = new Set(positionsFromEnd(chunkLengths(chunker, bytes)));
  const after = positionsFromEnd(chunkLengths(chunker, changed));
  assert.ok(after.filter((position) => !before.has(position)).length < after.length * 0.4);
});

function positionsFromEnd(lengths: readonly number[]): number[] {
  let position = 0;
  return lengths.toReversed().map((length) => (position += length));
}

test('a content given up in the middle leaves nothing behind', () => {
  const chunker = new RabinChunker(published);
  const bytes = pseudoRandom(3 * 2 ** 20);
  const expected = chunkLengths(chunker, bytes);
  chunker.buffer.set(bytes.subarray(0, 1_200_000));
  assert.equal(chunker.next(0, 1_200_000, 'more'), 0);
  chunker.reset();
  assert.deepEqual(chunkLengths(chunker, bytes), expected);
});

test('sizes that can not be are refused by name', () => {
  for (const wrong of [
    { minBytes: 63 },
    { minBytes: 9 * 2 ** 20 },
    { maxBytes: 2 ** 31 },
    { averageBits: 0 },
    { averageBits: 30 },
    { minBytes: 100.5 },
  ]) {
    assert.throws(
      () => new RabinChunker(published, { limits: { ...resticLimits, ...wrong } }),
      (error) => hasCode(error, 'unsupported'),
    );
  }
});
