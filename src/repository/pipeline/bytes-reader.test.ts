import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { readerOf } from './bytes-reader.ts';

const block = 64 * 1024;

test('a file with holes is read as the system reads it, wherever a piece begins and ends', async () => {
  await using dir = await tempDir();
  const fd = openSync(dir.file('sparse'), 'w+');
  for (const at of [1, 7, 8, 30]) writeSync(fd, Buffer.alloc(block, at), 0, block, at * block);
  ftruncateSync(fd, 64 * block + 17);
  const reader = readerOf({ kind: 'descriptor', fd });
  let runs = 0;
  const piece = fc.tuple(fc.nat(65 * block), fc.nat(8 * block));
  fc.assert(
    fc.property(piece, ([position, length]) => {
      const wanted = Buffer.alloc(length);
      const count = readSync(fd, wanted, 0, length, position);
      const found = Buffer.alloc(length, 0xff);
      assert.equal(reader.read(found, length, position), count);
      assert.ok(found.subarray(0, count).equals(wanted.subarray(0, count)));
      runs += 1;
    }),
    { numRuns: 200 },
  );
  assert.equal(runs, 200);
  ftruncateSync(fd, 2 * block);
  assert.equal(reader.read(Buffer.alloc(block), block, block + 100), block - 100, 'it was cut meanwhile');
  closeSync(fd);
});
