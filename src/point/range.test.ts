import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Extent, History } from '../log/log.ts';
import type { RecoverablePoint } from './point.ts';
import { isReachable, rangesFrom } from './range.ts';

/** Segments of 16 positions: `at(3)` is [48, 64). */
const at = (number: number, epoch = 1): Extent => ({ epoch, from: BigInt(number * 16), to: BigInt(number * 16 + 16) });
const backup = (from: bigint, to: bigint): RecoverablePoint => ({
  ...{ component: 'shop-db', rule: 'full', method: 'physical', identity: `${from}`, timeNs: from, sizeBytes: 1 },
  ...{ log: { stream: '7', epoch: 1, from, to }, copies: [] },
});

test('a backup that ended behind a fork begins no range of what forked: nothing could be replayed onto it', () => {
  const history: History = { epoch: 2, parent: 1, forkedAt: 40n, bytes: Buffer.alloc(0) };
  const segments = [at(1), at(2), at(3), at(2, 2), at(3, 2), at(4, 2)];
  const listing = { segments, partials: [], gaps: [], histories: [2], left: [], pieces: [] };
  const log = { component: 'shop-db', repository: 'near', stream: '7', listing, histories: [history] };
  const forked = (base: RecoverablePoint): readonly (readonly [bigint, bigint])[] =>
    rangesFrom(log, [base]).flatMap(({ epoch, from, to }) => (epoch === 2 ? [[from, to] as const] : []));
  assert.deepEqual(forked(backup(34n, 44n)), []);
  assert.deepEqual(forked(backup(34n, 40n)), [[40n, 80n]]);
});

test('what was seen of an epoch that was left says nothing of the one that goes on, whatever its positions', () => {
  const ranges = [{ epoch: 2, from: 40n, to: 80n }];
  assert.equal(isReachable({ epoch: 1, at: 60n }, ranges), false);
  assert.equal(isReachable({ epoch: 2, at: 60n }, ranges), true);
  assert.equal(isReachable({ epoch: 2, at: 81n }, ranges), false);
});

test('of two backups beside a gap each begins its range, whichever of them is dated later', () => {
  const segments = [at(1), at(2), at(5), at(6)];
  const listing = { segments, partials: [], gaps: [], histories: [], left: [], pieces: [] };
  const log = { component: 'shop-db', repository: 'near', stream: '7', listing, histories: [] };
  const [before, behind] = [backup(18n, 20n), backup(82n, 84n)];
  for (const points of [
    [before, behind],
    [behind, before],
  ])
    assert.deepEqual(
      rangesFrom(log, points).map(({ from, to, base }) => [from, to, base]),
      [
        [20n, 48n, before],
        [84n, 112n, behind],
      ],
    );
});
