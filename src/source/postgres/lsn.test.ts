import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasCode } from '../../errors/error.ts';
import { lsnText, parseLsn, segmentsOf } from './lsn.ts';

const mib = 2 ** 20;

test('a position in the log is read as the server writes it, and refused otherwise', () => {
  assert.equal(parseLsn('16/B374D848'), 0x16_b374_d848n);
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (lsn) => parseLsn(lsnText(lsn)) === lsn),
    { numRuns: 200 },
  );
  for (const wrong of ['', '16', '16/', 'x/1', '1/123456789'])
    assert.throws(
      () => parseLsn(wrong),
      (error) => hasCode(error, 'source-failed'),
    );
});

test('the segments of a range are named as the server names its files, whatever their size', () => {
  const range = { timeline: 1, start: 0x2000028n, end: 0x4000000n };
  assert.deepEqual(segmentsOf(range, 16 * mib), ['000000010000000000000002', '000000010000000000000003']);
  assert.deepEqual(segmentsOf({ ...range, end: 0x4000001n }, 16 * mib).length, 3);
  assert.deepEqual(segmentsOf({ timeline: 0x1a, start: 0x1_0000_0000n, end: 0x1_0000_0001n }, 64 * mib), [
    '0000001A0000000100000000',
  ]);
  assert.deepEqual(segmentsOf({ timeline: 2, start: 0xffff_ffffn, end: 0x1_0000_0001n }, 16 * mib), [
    '0000000200000000000000FF',
    '000000020000000100000000',
  ]);
});
