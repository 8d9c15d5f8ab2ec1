import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { goTime, parseGoTime } from '../bytes/go-time.ts';
import { zoneOf, type Zone } from '../clock/zone.ts';
import { parseDuration } from './duration.ts';
import { countedPeriods, type DatedSnapshot, type KeepPolicy, type Period, type Retained } from './keep.ts';
import { applyPolicy } from './policy.ts';

const noon = { nowNs: parseGoTime('2017-01-01T12:00:00Z'), zone: zoneOf('UTC') };

function snapshot(time: string, tags: readonly string[] = []): DatedSnapshot {
  return { id: time, time, timeNs: parseGoTime(time), hostname: 'h', paths: ['/p'], tags };
}

const rules = (rule: Partial<KeepPolicy>): KeepPolicy => ({ counts: {}, withinEach: {}, tags: [], ...rule });

function apply(snapshots: readonly DatedSnapshot[], rule: Partial<KeepPolicy>): Retained<DatedSnapshot> {
  return applyPolicy(snapshots, rules(rule), noon);
}

/** `time: reason, reason` of each snapshot kept. */
function kept(snapshots: readonly DatedSnapshot[], rule: Partial<KeepPolicy>): readonly string[] {
  return apply(snapshots, rule).reasons.map(({ snapshot: { id }, matches }) => `${id}: ${matches.join(', ')}`);
}

/** Days of a month at 10:20:30. */
const month = (yearMonth: string, days: readonly number[], tags?: readonly string[]): readonly DatedSnapshot[] =>
  days.map((day) => snapshot(`${yearMonth}-${String(day).padStart(2, '0')}T10:20:30Z`, tags));

const augustDays = [8, 10, 12, 13, 15, 18, 20, 21, 22];
const autumnDays = [1, 2, 5, 6, 8, 9, 10, 11, 20, 22];
const novemberDays = [8, 10, 12, 13, 15, 18, 20, 21, 22];

/** Two years of backups that end in January 2016: the history that restic's own expectations are written for. */
const history: readonly DatedSnapshot[] = [
  ...month('2014-08', augustDays),
  snapshot('2014-08-13T10:20:30.1Z'),
  ...month('2014-09', autumnDays),
  ...month('2014-10', autumnDays, ['foo']),
  ...month('2014-11', [8, 10, 12, 13], ['foo']),
  snapshot('2014-11-13T10:20:30.1Z', ['bar']),
  ...month('2014-11', [15], ['foo', 'bar']),
  ...month('2014-11', [18, 20, 21, 22]),
  ...month('2015-08', augustDays),
  snapshot('2015-08-13T10:20:30.1Z'),
  ...month('2015-09', autumnDays),
  ...month('2015-10', [...autumnDays, 22]),
  ...month('2015-10', [22, 22, 22], ['foo', 'bar']),
  ...month('2015-11', novemberDays),
  snapshot('2015-11-13T10:20:30.1Z'),
  ...['01T01:02:03', '01T01:03:03', '01T07:08:03', '03T07:02:03', '04T10:23:03', '04T11:23:03', '04T12:23:03'].map(
    (time) => snapshot(`2016-01-${time}Z`),
  ),
  ...['04T12:24:03', '04T12:28:03', '04T12:30:03', '04T16:23:03', '05T09:02:03', '06T08:02:03', '07T10:02:03'].map(
    (time) => snapshot(`2016-01-${time}Z`),
  ),
  ...['08T20:02:03', '09T21:02:03', '12T21:02:03', '12T21:08:03', '18T12:02:03'].map((time) =>
    snapshot(`2016-01-${time}Z`),
  ),
];

test('as many are kept as restic keeps of the same history', () => {
  const within = (text: string): Partial<KeepPolicy> => ({ within: parseDuration(text) });
  const each = (period: Period): Partial<KeepPolicy> => ({
    withinEach: { [period]: parseDuration('1y2m3d3h') },
  });
  assert.equal(history.length, 103);
  const expected: readonly (readonly [Partial<KeepPolicy>, number])[] = [
    [{ counts: { last: 10 } }, 10],
    [{ counts: { last: 99 } }, 99],
    [{ counts: { last: 200 } }, 103],
    [{ counts: { hourly: 20 } }, 20],
    [{ counts: { daily: 30 } }, 30],
    [{ counts: { last: 5, daily: 5 } }, 6],
    [{ counts: { last: 2, daily: 10 } }, 10],
    [{ counts: { weekly: 4 } }, 4],
    [{ counts: { daily: 3, weekly: 4 } }, 4],
    [{ counts: { monthly: 6 } }, 6],
    [{ counts: { daily: 2, weekly: 2, monthly: 6 } }, 7],
    [{ counts: { yearly: 10 } }, 4],
    [{ counts: { daily: 7, weekly: 2, monthly: 3, yearly: 10 } }, 11],
    [{ tags: [['foo']] }, 18],
    [{ tags: [['foo', 'bar']] }, 4],
    [{ tags: [['foo'], ['bar']] }, 19],
    [within('1d'), 1],
    [within('7d'), 3],
    [within('1m'), 19],
    [within('1y1d1m'), 63],
    [within('13d23h'), 9],
    [within('2m2h'), 23],
    [within('1y2m3d3h'), 68],
    [each('hourly'), 57],
    [each('daily'), 53],
    [each('weekly'), 19],
    [each('monthly'), 6],
    [each('yearly'), 3],
    [{ counts: { last: 'unlimited' } }, 103],
    [{ counts: { last: 'unlimited', hourly: 'unlimited' } }, 103],
    [{ counts: { hourly: 'unlimited' } }, 90],
  ];
  for (const [rule, count] of expected) assert.equal(apply(history, rule).keep.length, count, JSON.stringify(rule));
});

test('the reasons say which rules kept a snapshot', () => {
  assert.deepEqual(
    kept(history, { counts: { daily: 3, weekly: 2, monthly: 'unlimited', yearly: 'unlimited' } }).slice(0, 4),
    [
      '2016-01-18T12:02:03Z: daily snapshot, weekly snapshot, monthly snapshot, yearly snapshot',
      '2016-01-12T21:08:03Z: daily snapshot, weekly snapshot',
      '2016-01-09T21:02:03Z: daily snapshot',
      '2015-11-22T10:20:30Z: monthly snapshot, yearly snapshot',
    ],
  );
  const layered = {
    within: parseDuration('1h'),
    withinEach: {
      hourly: parseDuration('1d'),
      daily: parseDuration('7d'),
      weekly: parseDuration('1m'),
      yearly: parseDuration('9999y'),
    },
  };
  assert.deepEqual(kept(history, layered), [
    '2016-01-18T12:02:03Z: within 1h, hourly within 1d, daily within 7d, weekly within 1m, yearly within 9999y',
    '2016-01-12T21:08:03Z: daily within 7d, weekly within 1m',
    '2016-01-09T21:02:03Z: weekly within 1m',
    '2016-01-03T07:02:03Z: weekly within 1m',
    '2015-11-22T10:20:30Z: yearly within 9999y',
    '2014-11-22T10:20:30Z: yearly within 9999y',
    '2014-08-08T10:20:30Z: oldest yearly within 9999y',
  ]);
  assert.deepEqual(kept(history, { tags: [['foo', 'bar']] }).at(-1), '2014-11-15T10:20:30Z: has tags [foo, bar]');
});

test('the oldest is kept while a count has something left, and not after', () => {
  assert.equal(kept(history, { counts: { yearly: 10 } }).at(-1), '2014-08-08T10:20:30Z: oldest yearly snapshot');
  assert.equal(kept(history, { counts: { yearly: 3 } }).at(-1), '2014-11-22T10:20:30Z: yearly snapshot');
});

test('counters tell what was left of each count', () => {
  const counters = apply(history, { counts: { daily: 2, yearly: 'unlimited' } }).reasons.map(
    (reason) => reason.counters,
  );
  assert.deepEqual(
    counters.slice(0, 3).map(({ daily, yearly, last }) => [daily, yearly, last]),
    [
      [1, -1, 0],
      [0, -1, 0],
      [0, -1, 0],
    ],
  );
});

test('days are those of each snapshot’s own zone', () => {
  const late = snapshot('2016-03-02T00:30:00+02:00');
  const early = snapshot('2016-03-01T22:10:00Z');
  assert.equal(kept([late, early], { counts: { daily: 5 } }).length, 2);
  assert.equal(apply([late, early, snapshot('2016-02-01T00:00:00Z')], { counts: { hourly: 1 } }).keep[0], late);
});

test('weeks are ISO weeks: the last days of December may belong to the next year', () => {
  const days = ['2015-01-04', '2014-12-29', '2014-12-28'].map((day) => snapshot(`${day}T12:00:00Z`));
  assert.deepEqual(kept(days, { counts: { weekly: 2 } }), [
    '2015-01-04T12:00:00Z: weekly snapshot',
    '2014-12-28T12:00:00Z: weekly snapshot',
  ]);
});

test('quarters of a year are kept on demand', () => {
  const days = ['2016-07-01', '2016-06-30', '2016-04-01', '2016-03-31', '2016-01-01'].map((day) =>
    snapshot(`${day}T12:00:00Z`),
  );
  assert.deepEqual(
    apply(days, { counts: { quarterly: 3 } }).keep.map(({ id }) => id.slice(0, 10)),
    ['2016-07-01', '2016-06-30', '2016-03-31'],
  );
});

test('durations count from the newest snapshot that is not in the future', () => {
  const days = ['2020-01-01', '2016-06-10', '2016-06-05', '2016-06-01'].map((day) => snapshot(`${day}T12:00:00Z`));
  assert.deepEqual(
    apply(days, { within: parseDuration('7d') }).keep.map(({ id }) => id.slice(0, 10)),
    ['2020-01-01', '2016-06-10', '2016-06-05'],
  );
  assert.equal(apply(days.slice(0, 1), { within: parseDuration('1h') }).keep.length, 1);
});

test('a duration from a snapshot of this machine’s zone follows the clocks of that zone', () => {
  const newest = snapshot('2016-03-28T12:00:00+03:00');
  const dayBefore = snapshot('2016-03-26T12:30:00+02:00');
  const oneDay = rules({ within: parseDuration('2d') });
  assert.equal(applyPolicy([newest, dayBefore], oneDay, { ...noon, zone: zoneOf('Europe/Kyiv') }).keep.length, 2);
  const borderline = snapshot('2016-03-26T11:30:00+02:00');
  assert.equal(applyPolicy([newest, borderline], oneDay, { ...noon, zone: zoneOf('Europe/Kyiv') }).keep.length, 1);
  assert.equal(applyPolicy([newest, borderline], oneDay, { ...noon, zone: zoneOf('UTC') }).keep.length, 2);
});

const anySnapshots = fc.array(
  fc.record({
    seconds: fc.nat(1_500_000_000),
    zone: fc.constantFrom('UTC', '+02:00', '-03:30', '+14:00').map(zoneOf),
    tags: fc.subarray(['a', 'b', 'c']),
  }),
  { maxLength: 60 },
);

function numbered(
  dated: readonly { seconds: number; zone: Zone; tags: readonly string[] }[],
): readonly DatedSnapshot[] {
  return dated.map(({ seconds, zone, tags }, index) => {
    const timeNs = BigInt(seconds) * 1_000_000_000n;
    return { id: `${index}`, time: goTime(timeNs, zone), timeNs, hostname: '', paths: [], tags };
  });
}

const anyCounts = fc.record(
  Object.fromEntries(countedPeriods.map((period) => [period, fc.oneof(fc.nat(5), fc.constant('unlimited' as const))])),
  { requiredKeys: [] },
);

test('every snapshot is either kept or removed, for a reason, newest first', () => {
  fc.assert(
    fc.property(anySnapshots, anyCounts, fc.subarray(['a', 'b']), (dated, counts, tags) => {
      const snapshots = numbered(dated);
      const { keep, remove, reasons } = apply(snapshots, { counts, tags: tags.length > 0 ? [tags] : [] });
      assert.deepEqual([...keep, ...remove].map(({ id }) => id).toSorted(), snapshots.map(({ id }) => id).toSorted());
      assert.deepEqual(
        reasons.map(({ snapshot: one }) => one),
        keep,
      );
      assert.ok(reasons.every(({ matches }) => matches.length > 0));
      for (const list of [keep, remove])
        assert.ok(list.every(({ timeNs }, n) => n === 0 || timeNs <= (list[n - 1]?.timeNs ?? 0n)));
    }),
    { numRuns: 300 },
  );
});

test('another rule never removes more', () => {
  fc.assert(
    fc.property(anySnapshots, anyCounts, fc.constantFrom(...countedPeriods), (dated, counts, period) => {
      const snapshots = numbered(dated);
      const less = new Set(apply(snapshots, { counts }).remove);
      const { [period]: _, ...fewer } = counts;
      const more = apply(snapshots, { counts: fewer }).remove;
      for (const one of less) assert.ok(more.includes(one));
    }),
    { numRuns: 300 },
  );
});
