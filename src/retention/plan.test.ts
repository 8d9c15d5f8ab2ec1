import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goTime } from '../bytes/go-time.ts';
import { zoneOf } from '../clock/zone.ts';
import { parseDuration } from './duration.ts';
import { defaultGroupBy, groupSnapshots, parseGroupBy } from './group.ts';
import { isEmptyPolicy, parseKeepCount, type DatedSnapshot, type KeepPolicy } from './keep.ts';
import { describePolicy, planForget, type ForgetOptions } from './plan.ts';
import { hasTags, parseTagList } from './tags.ts';

const rules = (rule: Partial<KeepPolicy>): KeepPolicy => ({ counts: {}, withinEach: {}, tags: [], ...rule });

const forget = (rule: Partial<KeepPolicy>): ForgetOptions => ({
  policy: rules(rule),
  groupBy: defaultGroupBy,
  nowNs: 2_000_000_000_000_000_000n,
  zone: zoneOf('UTC'),
});

let count = 0;
function snapshot(hostname: string, paths: readonly string[], tags: readonly string[] = []): DatedSnapshot {
  count++;
  const timeNs = BigInt(count) * 86_400_000_000_000n;
  return { id: `${count}`, time: goTime(timeNs, zoneOf('UTC')), timeNs, hostname, paths, tags };
}

const a1 = snapshot('a', ['/x', '/y'], ['t']);
const a2 = snapshot('a', ['/y', '/x']);
const a3 = snapshot('a', ['/x']);
const b1 = snapshot('b', ['/x'], ['u', 't']);
const b2 = snapshot('b', ['/x'], ['t', 'u']);
const all = [a1, a2, a3, b1, b2];

test('snapshots of one host and the same paths, in any order, are one group', () => {
  const groups = groupSnapshots(all, defaultGroupBy).map(({ key, snapshots }) => [key, snapshots]);
  assert.deepEqual(groups, [
    [{ tags: null, hostname: 'a', paths: ['/x', '/y'] }, [a1, a2]],
    [{ tags: null, hostname: 'a', paths: ['/x'] }, [a3]],
    [{ tags: null, hostname: 'b', paths: ['/x'] }, [b1, b2]],
  ]);
});

test('grouping goes by tags, by less, and by nothing', () => {
  assert.equal(groupSnapshots(all, parseGroupBy('tags')).length, 3);
  assert.equal(groupSnapshots(all, parseGroupBy('host')).length, 2);
  const [whole] = groupSnapshots(all, parseGroupBy(''));
  assert.deepEqual(whole, { key: { tags: null, hostname: '', paths: null }, snapshots: all });
  assert.deepEqual(parseGroupBy('hosts,tag'), { host: true, paths: false, tags: true });
  assert.throws(() => parseGroupBy('user'), { code: 'usage' });
});

test('the policy applies to each group by itself', () => {
  const groups = planForget(all, forget({ counts: { last: 1 } }));
  assert.deepEqual(
    groups.flatMap(({ remove }) => remove),
    [a1, b1],
  );
});

test('without a rule nothing is removed', () => {
  for (const rule of [{}, { counts: { daily: 0 } }, { within: parseDuration('0d') }]) {
    assert.ok(isEmptyPolicy(rules(rule)));
    assert.throws(() => planForget(all, forget(rule)), { code: 'refused' });
  }
  const removed = planForget(all, { ...forget({}), removeAll: 'allowed' }).flatMap(({ remove }) => remove);
  assert.equal(removed.length, all.length);
});

test('a tag that nothing has removes nothing', () => {
  assert.throws(() => planForget(all, forget({ tags: [['mistyped']] })), {
    code: 'refused',
    message: /host a, path \[\/x/,
  });
  assert.throws(() => planForget(all, { ...forget({ tags: [['mistyped']] }), removeAll: 'allowed' }), {
    code: 'refused',
  });
});

test('a tag list wants all its tags, an empty tag wants none at all', () => {
  assert.deepEqual(parseTagList(' a, b '), ['a', 'b']);
  assert.ok(hasTags(['b', 'a', 'c'], parseTagList('a,b')));
  assert.ok(!hasTags(['a'], parseTagList('a,b')));
  assert.ok(hasTags([], parseTagList('')));
  assert.ok(!hasTags(['a'], parseTagList('')));
});

test('counts are whole numbers or unlimited', () => {
  assert.equal(parseKeepCount('7'), 7);
  assert.equal(parseKeepCount('unlimited'), 'unlimited');
  for (const text of ['-1', '1.5', '', 'all', '0x10', '1e3', '99999999999999999999'])
    assert.throws(() => parseKeepCount(text), { code: 'usage' });
});

test('a policy is described in words', () => {
  const policy = rules({
    counts: { last: 2, daily: 7, yearly: 'unlimited' },
    within: parseDuration('1m'),
    withinEach: { weekly: parseDuration('1y') },
    tags: [['a', 'b'], ['c']],
  });
  assert.equal(
    describePolicy(policy),
    'keep 2 latest, 7 daily, all yearly snapshots, weekly snapshots within 1y and all snapshots with tags [[a, b] [c]] and all snapshots within 1m of the newest',
  );
  assert.equal(describePolicy(rules({})), 'remove');
});
