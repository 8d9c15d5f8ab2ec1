import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Extent } from '../../../log/log.ts';
import { joined, within, without } from './extents.ts';

const extent = fc.record({
  epoch: fc.integer({ min: 1, max: 2 }),
  from: fc.bigInt(0n, 20n),
  length: fc.bigInt(1n, 9n),
});
const extents = fc
  .array(extent, { maxLength: 6 })
  .map((all) => all.map(({ epoch, from, length }): Extent => ({ epoch, from, to: from + length })));

function positions(all: readonly Extent[]): readonly string[] {
  const each = all.flatMap(({ epoch, from, to }) =>
    Array.from({ length: Number(to - from) }, (_, index) => `${epoch}.${from + BigInt(index)}`),
  );
  return [...new Set(each)].toSorted();
}

test('an extent is what others have of it and what is left without them, and nothing is both', () => {
  fc.assert(
    fc.property(extents, extents, (some, others) => {
      for (const one of some) {
        const [left, had] = [without(one, others), within(one, others)];
        assert.deepEqual(positions([...left, ...had]), positions([one]));
        assert.equal(positions(left).length + positions(had).length, positions([one]).length);
      }
    }),
    { numRuns: 200 },
  );
});

test('extents that follow each other are one, unless they are of two epochs or differ', () => {
  const at = (epoch: number, from: bigint, what: string) => ({ epoch, from, to: from + 1n, what });
  const all = [at(1, 1n, 'a'), at(1, 2n, 'a'), at(1, 3n, 'b'), at(1, 5n, 'b'), at(2, 6n, 'b')];
  const alike = joined(all, (one, other) => one.what === other.what);
  assert.deepEqual(
    alike.map(({ from, to }) => [from, to]),
    [
      [1n, 3n],
      [3n, 4n],
      [5n, 6n],
      [6n, 7n],
    ],
  );
});
