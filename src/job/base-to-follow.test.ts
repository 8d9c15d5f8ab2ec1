import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineageOf } from '../log/cover.ts';
import type { History } from '../log/log.ts';
import type { RecoverablePoint } from '../point/point.ts';
import { assertLogOf, newestOn } from './base-to-follow.ts';

const of = { component: 'shop-db', stream: '7' };
const lineage = lineageOf(2, [{ epoch: 2, parent: 1, forkedAt: 40n, bytes: new Uint8Array() }]) ?? assert.fail();
const backup = (identity: string, epoch: number, to: bigint): RecoverablePoint => ({
  ...{ component: 'shop-db', rule: 'full', method: 'physical', identity, timeNs: to, sizeBytes: 1, copies: [] },
  log: { stream: '7', epoch, from: to - 2n, to },
});

test('a standby begins with a backup of the timeline that goes on, and is refused where there is none', () => {
  const [before, left, since] = [backup('before', 1, 40n), backup('left', 1, 44n), backup('since', 2, 42n)];
  assert.equal(newestOn(lineage, [before, left], of).identity, 'before');
  assert.equal(newestOn(lineage, [before, since, left], of).identity, 'since');
  assert.throws(() => newestOn(lineage, [left], of), { code: 'unreachable', message: /no backup leads to timeline 2/ });
});

test('a standby is refused where the log would lead it elsewhere than its primary stands', () => {
  const history = (epoch: number, forkedAt: bigint): History => ({
    epoch,
    parent: 1,
    forkedAt,
    bytes: new Uint8Array(),
  });
  const leader = { stream: '7', epoch: 2, histories: [history(2, 40n)] };
  const base = (epoch: number) => ({ log: { stream: '7', epoch, from: 30n, to: 32n } });
  const against = (epoch: number, ...histories: readonly History[]): void =>
    assertLogOf('shop-db', leader, { base: base(epoch), held: { histories } });
  against(1, history(2, 40n));
  against(2);
  assert.throws(() => against(1), { code: 'refused', message: /on timeline 2, of which the log holds nothing yet/ });
  assert.throws(() => against(1, history(2, 36n)), { code: 'refused', message: /another one than the primary’s/ });
  assertLogOf(
    'shop-db',
    { ...leader, epoch: 1, histories: [] },
    { base: base(1), held: { histories: [history(2, 40n)] } },
  );
});
