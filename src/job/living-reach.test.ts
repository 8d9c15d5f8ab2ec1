import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Extent, History, Sighting } from '../log/log.ts';
import type { RecoverablePoint } from '../point/point.ts';
import { livingReach } from './living-reach.ts';
import type { TimedLog } from './logs.ts';

const history: History = { epoch: 2, parent: 1, forkedAt: 40n, bytes: new Uint8Array() };
const backup = (epoch: number, to: bigint, timeNs = 1n): RecoverablePoint => ({
  ...{ component: 'shop-db', rule: 'full', method: 'physical', identity: `${epoch}-${to}`, timeNs, sizeBytes: 1 },
  ...{ log: { stream: '7', epoch, from: to - 2n, to }, copies: [] },
});
const first = backup(1, 20n);

/** Of each epoch: up to where it is held, and when its end was stored. */
interface Ends {
  readonly first: readonly [to: bigint, storedNs: bigint];
  readonly second: readonly [to: bigint, storedNs: bigint];
}

function logOf({ first: [to1, at1], second: [to2, at2] }: Ends, more: Partial<TimedLog> = {}): TimedLog {
  const extents: readonly (Extent & { readonly storedNs: bigint })[] = [
    { epoch: 1, from: 0n, to: to1, storedNs: at1 },
    { epoch: 2, from: 40n, to: to2, storedNs: at2 },
  ];
  const listing = { segments: extents, partials: [], gaps: [], histories: [2], left: [], pieces: [] };
  const arrived = extents.map(({ epoch, to, storedNs }) => ({ epoch, to, timeNs: storedNs, storedNs }));
  const log = { component: 'shop-db', repository: 'near', stream: '7', listing, histories: [history] };
  const ranges = extents.map((extent) => ({
    ...{ log, base: first, newest: extent, last: extent, untilNs: undefined },
    ...{ epoch: extent.epoch, from: 20n, to: extent.to, storedNs: extent.storedNs },
  }));
  const signs = { arrived, seen: [], left: [] };
  return { ...log, ranges, signs, endStoredNs: at2, sighting: undefined, lastGap: undefined, ...more };
}

test('how far a log leads is told by the timeline that goes on: what came of one that was left hides no silence', () => {
  const undone = logOf({ first: [60n, 100n], second: [80n, 500n] });
  const left = { ...undone, signs: { ...undone.signs, left: [{ epoch: 2, at: 80n }] } };
  const { log, isLeft } = livingReach([left], 'shop-db', [first]);
  assert.equal(log?.storedNs, 100n);
  assert.deepEqual(log.left, [{ epoch: 2, storedNs: 500n, living: 1 }]);
  assert.deepEqual([first, backup(1, 60n), backup(2, 60n)].map(isLeft), [false, false, true]);
  const backedUp = livingReach([undone], 'shop-db', [first, backup(1, 70n, 900n)]);
  assert.equal(backedUp.log?.storedNs, 100n, 'a backup tells as well which goes on');
});

test('after a promotion the new timeline’s end counts, and what it has of its parent', () => {
  const promoted = livingReach([logOf({ first: [40n, 100n], second: [80n, 500n] })], 'shop-db', [first]);
  assert.deepEqual([promoted.log?.storedNs, promoted.log?.left], [500n, []]);
  assert.equal(promoted.isLeft(first), false);
  assert.equal(promoted.isLeft(backup(1, 60n)), true, 'it ended behind the fork');
  const silent = logOf({ first: [40n, 100n], second: [80n, 500n] });
  const nothingOfIts = { ...silent, ranges: silent.ranges.slice(0, 1) };
  assert.equal(livingReach([nothingOfIts], 'shop-db', [first]).log?.storedNs, 100n);
});

test('a sighting of a timeline that was left says nothing of the one that goes on', () => {
  const seen = (epoch: number, at: bigint): Sighting => ({ epoch, at, timeNs: 900n, heartbeatNs: 800n });
  const ends: Ends = { first: [60n, 100n], second: [80n, 500n] };
  const of = (sighting: Sighting): bigint | undefined =>
    livingReach([logOf(ends, { sighting })], 'shop-db', [first]).log?.seenNs;
  assert.equal(of(seen(2, 80n)), 900n);
  assert.equal(of(seen(1, 60n)), undefined);
  assert.equal(of(seen(1, 40n)), 900n, 'all of it is the fork’s');
  assert.deepEqual(livingReach([], 'shop-db', [first]).log, undefined);
});
