import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasCode } from '../errors/error.ts';
import { PagesChunker, pagesChunkSize } from './pages.ts';

test('every chunk but the last has the fixed size, and the last waits until nothing follows', () => {
  fc.assert(
    fc.property(fc.integer({ min: 512, max: 5000 }), fc.nat(50_000), (size, length) => {
      const chunker = new PagesChunker(size);
      let start = 0;
      for (; length - start >= size; start += size) assert.equal(chunker.next(start, length, 'more'), size);
      assert.equal(chunker.next(start, length, 'more'), 0);
      assert.equal(chunker.next(start, length, 'final'), length - start);
    }),
    { numRuns: 200 },
  );
});

test('a size that can not be is refused', () => {
  for (const wrong of [0, -8192, 100, 1000.5])
    assert.throws(
      () => new PagesChunker(wrong),
      (error) => hasCode(error, 'unsupported'),
    );
  assert.throws(
    () => new PagesChunker(8192, 4096),
    (error) => hasCode(error, 'unsupported'),
  );
});

test('the size is a multiple of any page, at least 64 KiB, and grows only with very large files', () => {
  assert.equal(pagesChunkSize(0), 65_536);
  assert.equal(pagesChunkSize(16 * 2 ** 30), 65_536);
  assert.equal(pagesChunkSize(16 * 2 ** 30 + 1), 131_072);
  assert.equal(pagesChunkSize(2 ** 50), 2 ** 20);
});
