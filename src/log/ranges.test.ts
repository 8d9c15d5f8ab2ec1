import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Extent, Listing } from './log.ts';
import { lastNamedGap } from './ranges.ts';

const at = (from: number, to: number, epoch = 1): Extent => ({ epoch, from: BigInt(from), to: BigInt(to) });

function listing(segments: readonly Extent[], gaps: readonly Extent[]): Listing {
  return { segments, gaps, partials: [], histories: [], left: [], pieces: [] };
}

test('a gap that was named is none any more once all of it came after all', () => {
  const gaps = [at(2, 3), at(5, 7)];
  assert.deepEqual(lastNamedGap(listing([at(1, 2), at(3, 4), at(7, 8)], gaps)), at(5, 7));
  assert.deepEqual(lastNamedGap(listing([at(1, 2), at(5, 6), at(7, 8)], gaps)), at(5, 7), 'of which a part is missing');
  assert.deepEqual(lastNamedGap(listing([at(4, 5), at(5, 6), at(6, 7)], gaps)), at(2, 3));
  assert.deepEqual(lastNamedGap(listing([at(5, 7, 2)], gaps)), at(5, 7), 'what another epoch has is not of this one');
  assert.equal(lastNamedGap(listing([at(1, 4), at(4, 8)], gaps)), undefined);
});
