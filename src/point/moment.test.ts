import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Extent, History } from '../log/log.ts';
import { noSigns } from './living.ts';
import { livingIn, mayBeNewer, noBackup, reachesOf, type Moment, type StreamHeld } from './moment.ts';
import type { RecoverablePoint } from './point.ts';

const extent = (epoch: number, from: bigint, to: bigint): Extent => ({ epoch, from, to });

function backup(identity: string, timeNs: bigint, log: Extent): RecoverablePoint {
  const about = { component: 'shop-db', rule: 'full', method: 'physical', sizeBytes: undefined, copies: [] };
  return { ...about, identity, timeNs, log: { ...log, stream: '1' } };
}

/** The second epoch forks from the first at 200, which goes on all the same. */
const history: History = { epoch: 2, parent: 1, forkedAt: 200n, bytes: new Uint8Array() };
const segments = [extent(1, 0n, 100n), extent(1, 100n, 200n), extent(1, 200n, 300n), extent(2, 200n, 300n)];
const held: StreamHeld = {
  stream: '1',
  listing: { segments, partials: [], gaps: [], histories: [2], left: [], pieces: [] },
  histories: [history],
  signs: noSigns,
};
const before = backup('before', 1n, extent(1, 10n, 20n));

function followed(
  points: readonly RecoverablePoint[],
  wish: Parameters<typeof reachesOf>[2] = {},
): readonly [string | undefined, number | undefined] {
  const [newest] = reachesOf(points, held, wish);
  return [newest?.base.identity, newest?.lineage.epochs[0]?.epoch];
}

test('the newest epoch is followed from a backup before its fork, unless another is named', () => {
  assert.deepEqual(followed([before]), ['before', 2]);
  assert.deepEqual(followed([before], { epoch: 1 }), ['before', 1]);
});

test('once a backup was made of it behind the fork, an epoch that was gone back to is followed, not the newer one that was left', () => {
  const since = backup('since', 2n, extent(1, 210n, 220n));
  assert.deepEqual(followed([before, since]), ['since', 1]);
  assert.deepEqual(followed([before, since], { epoch: 2 }), ['before', 2]);
  const later = backup('later', 3n, extent(2, 210n, 220n));
  assert.deepEqual(followed([before, since, later]), ['later', 2]);
});

test('the epoch that stands in the place is followed, else the one that goes on, as far as a backup leads to them', () => {
  assert.deepEqual(followed([before], { living: 1 }), ['before', 1]);
  assert.deepEqual(followed([before], { living: 1, standing: 2 }), ['before', 2]);
  assert.deepEqual(followed([before], { living: 3, standing: 4 }), ['before', 2], 'nobody can tell whence they come');
  assert.deepEqual(followed([before], { epoch: 1, living: 2, standing: 2 }), ['before', 1]);
});

test('which epoch goes on is told by what arrived last, and by backups of this stream', () => {
  const arrived = [
    { epoch: 1, to: 300n, timeNs: 10n },
    { epoch: 2, to: 300n, timeNs: 20n },
  ];
  const dated = { ...held, signs: { arrived, seen: [], left: [] } };
  const since = { ...backup('since', 15n, extent(1, 210n, 220n)), endNs: 30n };
  assert.equal(livingIn(held, [since]), undefined, 'nothing is dated');
  assert.equal(livingIn(dated, [before]), 2);
  assert.equal(livingIn(dated, [before, since]), 1);
  assert.equal(livingIn({ ...dated, stream: '2' }, [since]), 2);
  assert.equal(livingIn(dated, [{ ...before, endNs: 30n }]), 2, 'what ended before the fork, whatever its clock said');
});

test('backups are taken in the order of the log, whatever the clocks said that stamped them', () => {
  const [young, ahead] = [backup('young', 5n, extent(1, 210n, 220n)), backup('ahead', 90n, extent(1, 10n, 20n))];
  const ids = (points: readonly RecoverablePoint[]): readonly string[] =>
    reachesOf(points, held, { epoch: 1 }).map(({ base }) => base.identity);
  assert.deepEqual(ids([young, ahead]), ['young', 'ahead'], 'points come in the order of their dates');
  const parted = { ...held, listing: { ...held.listing, segments: [extent(1, 0n, 100n), extent(1, 200n, 300n)] } };
  const [newest] = reachesOf([young, ahead], parted, { epoch: 1 });
  assert.equal(newest?.to, 300n, 'all there is, not what leads up to the hole');
  assert.deepEqual(newest.before, [], 'it begins in the first segment behind the hole');
});

test('what was not found may be newer than all that is held, but for what is too old, or in a gap', () => {
  const [at, time, name]: readonly [bigint, Moment, Moment] = [
    5n,
    { kind: 'time', timeNs: 9n },
    { kind: 'name', name: 'v' },
  ];
  const stop = { at, timeNs: undefined };
  const behind = { kind: 'unreachable', reason: 'nothing follows', before: stop, after: undefined } as const;
  const tooOld = { ...behind, before: undefined, after: stop };
  const judged = [behind, { ...behind, after: stop }, tooOld, noBackup].map((found) => [
    mayBeNewer(time, found),
    mayBeNewer(name, found),
    mayBeNewer({ kind: 'latest' }, found),
  ]);
  assert.deepEqual(judged, [
    [true, true, false],
    [false, true, false],
    [false, false, false],
    [false, false, false],
  ]);
});
