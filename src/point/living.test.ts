import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { History } from '../log/log.ts';
import { livingEpoch, noSigns, type Arrival } from './living.ts';

const forkedAt40: History = { epoch: 2, parent: 1, forkedAt: 40n, bytes: new Uint8Array() };
const arrival = (epoch: number, to: bigint, timeNs: bigint): Arrival => ({ epoch, to, timeNs });
const living = (...arrived: readonly Arrival[]): number | undefined =>
  livingEpoch([forkedAt40], { arrived, seen: [], left: [] }, []);

test('the epoch that goes on is the one whose log arrived last, whatever its number', () => {
  assert.equal(living(arrival(1, 48n, 10n), arrival(2, 64n, 20n)), 2, 'a promotion');
  assert.equal(living(arrival(1, 96n, 30n), arrival(2, 64n, 20n)), 1, 'an undo of it');
  assert.equal(living(arrival(1, 96n, 30n), arrival(2, 80n, 30n)), 2, 'the higher one where both tell the same');
  assert.equal(livingEpoch([], noSigns, [arrival(1, 48n, 5n)]), undefined, 'nobody knows when anything arrived');
});

test('what an epoch wrote up to a fork tells nothing against what was forked there', () => {
  // The last, partial segment of the old epoch is handed over after the history of the new one.
  assert.equal(living(arrival(1, 40n, 30n), arrival(2, 0n, 20n)), 2);
  assert.equal(living(arrival(1, 48n, 30n), arrival(2, 0n, 20n)), 1, 'it goes on behind the fork');
});

test('a place that was filled long afterwards makes nothing younger', () => {
  assert.equal(living(arrival(1, 48n, 10n), arrival(1, 48n, 90n), arrival(1, 16n, 95n), arrival(2, 64n, 20n)), 2);
});

test('a sighting and a backup tell that an epoch was alive, though nothing more arrived of it', () => {
  const signs = { arrived: [arrival(1, 40n, 10n), arrival(2, 64n, 20n)], seen: [arrival(1, 41n, 30n)], left: [] };
  assert.equal(livingEpoch([forkedAt40], signs, []), 1);
  assert.equal(livingEpoch([forkedAt40], signs, [arrival(2, 50n, 40n)]), 2);
  assert.equal(livingEpoch([forkedAt40], signs, [arrival(2, 50n, 25n)]), 1);
  assert.equal(livingEpoch([forkedAt40], { ...signs, seen: [], left: [] }, [arrival(1, 41n, 30n)]), 1);
});

test('a clock that ran ahead makes nothing of a backup or a sighting up to the fork: the promoted epoch goes on', () => {
  const arrived = [arrival(1, 40n, 10n), arrival(2, 64n, 20n)];
  assert.equal(livingEpoch([forkedAt40], { arrived, seen: [], left: [] }, [arrival(1, 30n, 50n)]), 2);
  assert.equal(livingEpoch([forkedAt40], { arrived, seen: [arrival(1, 40n, 50n)], left: [] }, []), 2);
});

test('an epoch of which it was said that it was left goes on no more, though it arrived last; behind that it does', () => {
  const arrived = [arrival(1, 40n, 10n), arrival(2, 64n, 20n)];
  const left = [{ epoch: 2, at: 64n }];
  const seen = [arrival(2, 64n, 30n)];
  assert.equal(livingEpoch([forkedAt40], { arrived, seen, left: [] }, []), 2);
  assert.equal(
    livingEpoch([forkedAt40], { arrived, seen, left }, []),
    1,
    'also where all that 1 has is the fork’s too',
  );
  assert.equal(livingEpoch([forkedAt40], { arrived, seen, left }, [arrival(2, 70n, 40n)]), 2, 'it was started again');
  const third: History = { epoch: 3, parent: 2, forkedAt: 50n, bytes: new Uint8Array() };
  const since = { arrived: [...arrived, arrival(3, 55n, 5n)], seen, left };
  assert.equal(livingEpoch([forkedAt40, third], since, []), 1);
  assert.equal(livingEpoch([forkedAt40, third], { ...since, arrived: [...arrived, arrival(3, 55n, 50n)] }, []), 3);
});

test('a backup that a clock hours ahead stamped is no younger than what was stored of its epoch behind it', () => {
  const stored = (epoch: number, to: bigint, storedNs: bigint, timeNs = storedNs): Arrival => ({
    ...{ epoch, to, timeNs, storedNs },
  });
  const arrived = [stored(1, 96n, 10n), stored(2, 80n, 20n)];
  const living2 = (backup: Arrival): number | undefined =>
    livingEpoch([forkedAt40], { arrived, seen: [], left: [] }, [backup]);
  assert.equal(living2(arrival(1, 90n, 500n)), 2, 'it ended before 10');
  assert.equal(living2(arrival(1, 97n, 500n)), 1, 'nothing that is stored tells when');
  const idle = { arrived: [stored(1, 96n, 30n, 10n), stored(2, 80n, 20n)], seen: [], left: [] };
  assert.equal(livingEpoch([forkedAt40], idle, []), 2, 'by its last commit');
  assert.equal(
    livingEpoch([forkedAt40], idle, [arrival(1, 90n, 25n)]),
    1,
    'a backup of a server where nothing is done',
  );
});

test('a sighting of an idle server counts by its own date, though what it saw was stored long before', () => {
  const stored = (epoch: number, to: bigint, storedNs: bigint): Arrival => ({
    ...arrival(epoch, to, storedNs),
    storedNs,
  });
  const arrived = [stored(1, 96n, 30n), stored(2, 64n, 20n)];
  const sighted = (at: bigint): number | undefined =>
    livingEpoch([forkedAt40], { arrived, seen: [arrival(2, at, 100n)], left: [] }, []);
  assert.equal(
    livingEpoch([forkedAt40], { arrived, seen: [], left: [] }, []),
    1,
    'the old primary was started by mistake',
  );
  assert.equal(sighted(64n), 2, 'the promoted one is sighted each minute, and idle');
  assert.equal(sighted(63n), 1, 'more of it was stored behind what was seen');
});
