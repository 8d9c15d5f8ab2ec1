import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { constants, createZstdDecompress, zstdCompressSync } from 'node:zlib';
import { FrameContext } from './sync-stream.ts';

test('this Node lets one context read frame after frame', () => {
  const context = FrameContext.over(createZstdDecompress());
  const output = Buffer.alloc(6);
  for (const text of ['first', 'other']) {
    const step = context?.run(constants.ZSTD_e_end, zstdCompressSync(text), output, 6);
    assert.deepEqual(step, { inputLeft: 0, outputLeft: 1 });
    assert.equal(output.toString('latin1', 0, 5), text);
  }
});

test('a context that met a broken frame says so at once, and ever after', () => {
  const context = FrameContext.over(createZstdDecompress());
  assert.equal(context?.run(constants.ZSTD_e_end, Buffer.from('no frame at all'), Buffer.alloc(9), 9), undefined);
  assert.equal(context?.run(constants.ZSTD_e_end, zstdCompressSync('x'), Buffer.alloc(9), 9), undefined);
});

test('a stream without such a context is told by its shape', () => {
  assert.equal(FrameContext.over(new PassThrough()), undefined);
});
