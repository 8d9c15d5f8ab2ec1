import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coverFrom, lineageOf } from './cover.ts';
import type { Extent, History, Listing, Piece } from './log.ts';
import { rangesOf } from './ranges.ts';

/** Segments of 16 positions: `at(3)` is [48, 64). */
const at = (number: number, epoch = 1): Extent => ({ epoch, from: BigInt(number * 16), to: BigInt(number * 16 + 16) });
const piece = (number: number, from: number, to: number, epoch = 1): Piece => ({
  segment: at(number, epoch),
  from: BigInt(number * 16 + from),
  to: BigInt(number * 16 + to),
});
const nothing: Listing = { segments: [], partials: [], gaps: [], histories: [], left: [], pieces: [] };
const history = (epoch: number, parent: number, forkedAt: number): History => ({
  epoch,
  parent,
  forkedAt: BigInt(forkedAt),
  bytes: Buffer.alloc(0),
});
const first = lineageOf(1, []) ?? assert.fail();

test('a log is covered up to its first hole, and no further', () => {
  const listing = { ...nothing, segments: [at(1), at(2), at(4)] };
  assert.equal(coverFrom(listing, first, 20n).to, 48n);
  assert.equal(coverFrom(listing, first, 50n).to, 50n);
  assert.equal(coverFrom(listing, first, 64n).to, 80n);
  assert.deepEqual(
    rangesOf(listing).map(({ from, to, segments }) => [from, to, segments]),
    [
      [16n, 48n, 2],
      [64n, 80n, 1],
    ],
  );
});

test('pieces carry the open segment as far as they join, whatever overlaps', () => {
  const pieces = [piece(2, 0, 4), piece(2, 0, 6), piece(2, 6, 9), piece(2, 11, 14)];
  const listing = { ...nothing, segments: [at(1)], pieces };
  assert.equal(coverFrom(listing, first, 16n).to, 41n);
  assert.equal(rangesOf(listing)[0]?.open, 41n);
  assert.equal(coverFrom({ ...listing, pieces: pieces.slice(2) }, first, 16n).to, 32n);
  assert.equal(rangesOf({ ...nothing, pieces })[0]?.open, 41n);
});

test('an epoch is reached over the one it forks from, whose later segments are another story', () => {
  const histories = [history(2, 1, 40)];
  const lineage = lineageOf(2, histories) ?? assert.fail();
  const listing = { ...nothing, segments: [at(1), at(2), at(3), at(2, 2), at(3, 2), at(4, 2)] };
  const { parts, to } = coverFrom(listing, lineage, 16n);
  assert.equal(to, 80n);
  assert.deepEqual(
    parts.map((part) => (part.held === 'segment' ? [part.extent.epoch, part.extent.from] : [])),
    [
      [1, 16n],
      [2, 32n],
      [2, 48n],
      [2, 64n],
    ],
  );
  // Without the segment that repeats what stood before the fork, the parent's own serves up to there.
  const lacking = { ...listing, segments: [at(1), at(2), at(3), at(3, 2)] };
  assert.equal(coverFrom(lacking, lineage, 16n).to, 40n);
  const open = { ...nothing, segments: [at(1), at(2, 2), at(3, 2)], pieces: [piece(4, 0, 8), piece(2, 0, 12)] };
  assert.equal(coverFrom(open, lineage, 16n).to, 64n, 'pieces behind the fork are another story, too');
  assert.equal(coverFrom({ ...open, segments: [at(1)] }, lineage, 16n).to, 40n);
  assert.equal(coverFrom({ ...listing, segments: [at(1), at(3), at(3, 2)] }, lineage, 16n).to, 32n);
});

test('an epoch whose history is not held, or names itself as its parent, has no lineage', () => {
  assert.equal(lineageOf(3, [history(3, 2, 40)]), undefined);
  assert.equal(lineageOf(2, [history(2, 2, 40)]), undefined);
  assert.deepEqual(
    lineageOf(5, [history(5, 2, 90), history(2, 1, 40)])?.epochs.map(({ epoch, to }) => [epoch, to]),
    [
      [5, undefined],
      [2, 90n],
      [1, 40n],
    ],
  );
});
