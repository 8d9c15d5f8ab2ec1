import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Extent, History, Listing } from '../log/log.ts';
import { dueBase } from './due.ts';
import { noSigns } from './living.ts';
import type { RecoverablePoint } from './point.ts';

/** Segments of 16 positions: `at(3)` is [48, 64). */
const at = (number: number, epoch = 1): Extent => ({ epoch, from: BigInt(number * 16), to: BigInt(number * 16 + 16) });
const nothing: Listing = { segments: [], partials: [], gaps: [], histories: [], left: [], pieces: [] };
const backup = (from: bigint, epoch = 1): RecoverablePoint => ({
  ...{ component: 'shop-db', rule: 'full', method: 'physical', identity: `${from}`, timeNs: from, sizeBytes: 1 },
  ...{ log: { stream: '7', epoch, from, to: from + 2n }, copies: [] },
});

test('a base backup is due where the newest end of a log follows none, and says from where on', () => {
  const held = (listing: Partial<Listing>, histories: readonly History[] = []): Parameters<typeof dueBase>[0] => ({
    stream: '7',
    listing: { ...nothing, ...listing },
    histories,
    signs: noSigns,
  });
  const segments = [at(1), at(2), at(4), at(5)];
  const parted = held({ segments });
  assert.equal(dueBase(held({}), []), undefined, 'nothing is held');
  assert.deepEqual(dueBase(parted, []), { epoch: 1, since: 64n, gap: undefined });
  assert.deepEqual(dueBase(parted, [backup(20n)]), {
    ...{ epoch: 1, since: 64n },
    gap: { epoch: 1, from: 48n, to: 64n },
  });
  assert.equal(dueBase(parted, [backup(20n), backup(66n)]), undefined, 'one was taken behind the gap');
  assert.equal(dueBase(parted, [backup(96n)]), undefined, 'one that is ahead of what is stored waits for the log');
  assert.equal(dueBase(held({ segments: segments.slice(0, 2) }), [backup(20n)]), undefined);
  // A gap that was named is one before anything is held behind it, and none where another place holds what it lacks.
  const named = held({ segments: segments.slice(0, 2), gaps: [at(3)] });
  assert.deepEqual(dueBase(named, [backup(20n)]), { epoch: 1, since: 64n, gap: { epoch: 1, from: 48n, to: 64n } });
  assert.equal(dueBase(named, [backup(20n), backup(63n)]), undefined, 'one ends behind it');
  assert.ok(dueBase(held({ gaps: [at(3)] }), [backup(20n)]), 'nothing is held but its name');
  const filled = held({ segments: [at(1), at(2), at(3)], gaps: [at(3)] });
  assert.equal(dueBase(filled, [backup(20n)]), undefined);
  // Pieces are an end, too; and another cluster's backup is none of this log's.
  const pieces = [{ segment: at(6), from: 96n, to: 99n }];
  assert.deepEqual(dueBase(held({ segments, pieces }), [backup(20n)])?.since, 64n);
  assert.ok(dueBase({ ...parted, stream: '8' }, [backup(66n)]));
  // A timeline of which nobody knows whence it comes leads nowhere; one that is known leads on.
  const history: History = { epoch: 2, parent: 1, forkedAt: 40n, bytes: Buffer.alloc(0) };
  const forked = { segments: [at(1), at(2), at(2, 2), at(3, 2)] };
  assert.equal(dueBase(held(forked, [history]), [backup(20n)]), undefined);
  assert.deepEqual(dueBase(held(forked), [backup(20n)]), { epoch: 2, since: 32n, gap: undefined });
  const longer = { segments: [at(1), at(2), at(3), at(4), at(5), at(2, 2)] };
  assert.equal(dueBase(held(longer, [history]), [backup(20n)]), undefined);
  assert.deepEqual(dueBase(held(longer, [history]), [backup(60n)])?.epoch, 2, 'one of the timeline that was left');
});

test('of several timelines that one counts whose log arrived last: the promoted one, or the one that was turned back to', () => {
  const history: History = { epoch: 2, parent: 1, forkedAt: 40n, bytes: Buffer.alloc(0) };
  const segments = [at(1), at(2), at(3), at(4), at(2, 2)];
  const arrived = (firstNs: bigint, secondNs: bigint) => ({
    ...{ stream: '7', listing: { ...nothing, segments }, histories: [history] },
    signs: {
      arrived: [
        { epoch: 1, to: 80n, timeNs: firstNs },
        { epoch: 2, to: 48n, timeNs: secondNs },
      ],
      seen: [],
      left: [],
    },
  });
  // One of timeline 1 behind the fork, made at 60.
  assert.deepEqual(
    dueBase(arrived(70n, 100n), [backup(60n)])?.epoch,
    2,
    'it was promoted since, and no backup leads there',
  );
  assert.equal(dueBase(arrived(110n, 100n), [backup(60n)]), undefined, 'timeline 1 was turned back to');
  assert.equal(dueBase(arrived(50n, 55n), [backup(60n)]), undefined, 'and the backup was made since');
  // One of timeline 2 alone.
  assert.deepEqual(dueBase(arrived(110n, 100n), [backup(44n, 2)])?.epoch, 1);
  assert.equal(dueBase(arrived(70n, 100n), [backup(44n, 2)]), undefined);
  const begun = { ...arrived(70n, 100n), listing: { ...nothing, segments: segments.slice(0, 4) } };
  assert.equal(dueBase(begun, []), undefined, 'of the one that goes on nothing is held yet');
});

test('a backup that was found wrong in each of its copies reaches nowhere', () => {
  const held = { stream: '7', listing: { ...nothing, segments: [at(1), at(2)] }, histories: [], signs: noSigns };
  const copy = (state: 'failed' | 'verified') => ({
    ...({ held: 'external', repository: state, proof: { state, level: 'restore', timeNs: 1n } } as const),
    point: { identity: 'a', rule: 'full', method: '', timeNs: 1n, sizeBytes: 1 },
  });
  assert.equal(dueBase(held, [{ ...backup(20n), copies: [copy('failed'), copy('verified')] }]), undefined);
  assert.ok(dueBase(held, [{ ...backup(20n), copies: [copy('failed')] }]));
});
