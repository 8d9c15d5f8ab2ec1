import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holdsXid, xidRanges } from './xid-ranges.ts';

const xid = fc.oneof(fc.integer({ min: 3, max: 60 }), fc.integer({ min: 3, max: 2 ** 32 - 1 }));

test('ranges hold each transaction that was given; where they are exact, no other', () => {
  fc.assert(
    fc.property(fc.array(xid, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), xid, (xids, most, other) => {
      const ranges = xidRanges(xids, most);
      assert.ok(ranges.ranges.length <= most);
      for (const one of xids) assert.notEqual(holdsXid(ranges, one), 'no');
      if (ranges.precision === 'exact') assert.equal(holdsXid(ranges, other), xids.includes(other) ? 'yes' : 'no');
      if (holdsXid(ranges, other) === 'yes') assert.ok(xids.includes(other));
    }),
    { numRuns: 300 },
  );
});

test('too many ranges are joined over their smallest gaps, and called coarse', () => {
  const ranges = xidRanges([10, 11, 13, 100, 101, 500], 3);
  assert.deepEqual(ranges, {
    ranges: [
      [10, 13],
      [100, 101],
      [500, 500],
    ],
    precision: 'coarse',
  });
  assert.deepEqual(xidRanges([], 3), { ranges: [], precision: 'exact' });
});
