import assert from 'node:assert/strict';
import { closeSync, lstatSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { tempDir } from '../../test/support/temp-dir.ts';
import { rawPathOf } from '../bytes/ids.ts';
import { setTimes } from './times.ts';

function timesOf(path: string): { atimeNs: bigint; mtimeNs: bigint } {
  const { atimeNs, mtimeNs } = lstatSync(path, { bigint: true });
  return { atimeNs, mtimeNs };
}

/** What ext4, XFS and tmpfs can all hold: 1901 to 2446. */
const instant = fc.bigInt({ min: -2_147_000_000n * 1_000_000_000n, max: 15_000_000_000n * 1_000_000_000n });

test('times are set to the nanosecond, before 1970 as well, by path and by descriptor', async () => {
  await using dir = await tempDir();
  const path = dir.file('file');
  writeFileSync(path, '');
  const fd = openSync(path, 'r+');
  let runs = 0;
  fc.assert(
    fc.property(instant, instant, fc.constantFrom(fd, rawPathOf(path)), (atimeNs, mtimeNs, target) => {
      setTimes(target, { atimeNs, mtimeNs });
      assert.deepEqual(timesOf(path), { atimeNs, mtimeNs });
      runs += 1;
    }),
    { numRuns: 300 },
  );
  closeSync(fd);
  assert.equal(runs, 300);
});

test('the times of a link are its own', async () => {
  await using dir = await tempDir();
  writeFileSync(dir.file('file'), '');
  symlinkSync('file', dir.file('link'));
  const before = timesOf(dir.file('file'));
  setTimes(rawPathOf(dir.file('link')), { atimeNs: -1n, mtimeNs: 1_234_567_890_123_456_789n });
  assert.deepEqual(timesOf(dir.file('link')), { atimeNs: -1n, mtimeNs: 1_234_567_890_123_456_789n });
  assert.deepEqual(timesOf(dir.file('file')), before);
});

test('a file that is not there is an error of the system', () => {
  assert.throws(() => setTimes(rawPathOf('/nonexistent/file'), { atimeNs: 0n, mtimeNs: 0n }), { code: 'ENOENT' });
});
