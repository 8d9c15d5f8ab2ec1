import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { tempDir } from '../../test/support/temp-dir.ts';
import { dataRanges } from './holes.ts';

const block = 64 * 1024;

test('ranges of data cover what was written, in order, and leave the holes out', async () => {
  await using dir = await tempDir();
  let [runs, holes] = [0, 0];
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }), (written) => {
      const fd = openSync(dir.file('file'), 'w+');
      written.forEach((there, i) => there && writeSync(fd, Buffer.alloc(block, 1), 0, block, i * block));
      ftruncateSync(fd, written.length * block);
      const ranges = [...dataRanges(fd, written.length * block)];
      closeSync(fd);
      const covered = (at: number) => ranges.some(({ start, end }) => start <= at && at < end);
      written.forEach((there, i) => there && assert.ok(covered(i * block) && covered((i + 1) * block - 1)));
      holes += written.filter((there, i) => !there && !covered(i * block)).length;
      ranges.slice(1).forEach(({ start }, i) => assert.ok(start > (ranges[i]?.end ?? Infinity)));
      runs += 1;
    }),
    { numRuns: 100 },
  );
  assert.equal(runs, 100);
  assert.ok(holes > 0, 'the file system of the temporary folder tells no holes');
});

test('an empty file and one that is all hole have no range', async () => {
  await using dir = await tempDir();
  const fd = openSync(dir.file('file'), 'w+');
  assert.deepEqual([...dataRanges(fd, 0)], []);
  ftruncateSync(fd, 5_000_000);
  assert.deepEqual([...dataRanges(fd, 5_000_000)], []);
  closeSync(fd);
});
