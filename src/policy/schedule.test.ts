import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockTimeOf, dueAfter, longestGapMs, type Schedule } from './schedule.ts';
import { spanOf, spanText } from './span.ts';

const ms = (text: string): number => Temporal.Instant.from(text).epochMilliseconds;

function at(text: string): Schedule {
  const time = clockTimeOf(text);
  assert.ok(time);
  return { kind: 'at', ...time };
}

function nextOf(schedule: Schedule, after: string, zone = 'UTC'): string {
  const due = dueAfter(schedule, ms(after), zone);
  assert.ok(due !== undefined);
  return Temporal.Instant.fromEpochMilliseconds(due).toString();
}

test('a time of day is due each day in the policy’s zone, or in its own', () => {
  assert.equal(nextOf(at('02:00'), '2026-11-21T01:00:00Z'), '2026-11-21T02:00:00Z');
  assert.equal(nextOf(at('02:00'), '2026-11-21T02:00:00Z'), '2026-11-22T02:00:00Z');
  assert.equal(nextOf(at('02:00'), '2026-11-21T01:00:00Z', 'Europe/Kyiv'), '2026-11-22T00:00:00Z');
  assert.equal(nextOf(at('Sun 03:00 Europe/Kyiv'), '2026-11-21T00:00:00Z'), '2026-11-22T01:00:00Z');
  assert.equal(nextOf(at('Mon,Thu 22:30'), '2026-11-21T00:00:00Z'), '2026-11-23T22:30:00Z');
});

test('a time that the clocks leap over comes after the leap, one shown twice comes once', () => {
  const early = at('02:30 Europe/Berlin');
  assert.equal(nextOf(early, '2026-03-28T12:00:00Z'), '2026-03-29T01:30:00Z');
  assert.equal(nextOf(early, '2026-10-24T12:00:00Z'), '2026-10-25T00:30:00Z');
  assert.equal(nextOf(early, '2026-10-25T00:30:00Z'), '2026-10-26T01:30:00Z');
});

test('fields of cron and lengths of time are due when they say; an event has no time', () => {
  assert.equal(nextOf({ kind: 'cron', fields: '0 4 1 * *' }, '2026-11-21T00:00:00Z'), '2026-12-01T04:00:00Z');
  assert.equal(nextOf({ kind: 'every', span: spanOf('6h') }, '2026-11-21T00:00:00Z'), '2026-11-21T06:00:00Z');
  assert.equal(dueAfter({ kind: 'on', event: 'change' }, 0, 'UTC'), undefined);
});

test('the longest gap is what an RPO is held against', () => {
  const hours = (schedule: Schedule): number => longestGapMs(schedule) / 3_600_000;
  assert.equal(hours(at('02:00')), 24);
  assert.equal(hours(at('Sun 03:00')), 168);
  assert.equal(hours(at('Mon,Thu 22:30')), 96);
  assert.equal(hours({ kind: 'cron', fields: '0 4 1 * *' }), 31 * 24);
  assert.equal(hours({ kind: 'cron', fields: '*/15 9-17 * * 1-5' }), 63.25);
  assert.equal(hours({ kind: 'cron', fields: '0 */6 * * *' }), 6);
  assert.equal(hours({ kind: 'cron', fields: '0 1,2,9 * * *' }), 16);
  assert.equal(hours({ kind: 'cron', fields: '30 2 * * 0,3' }), 96);
  assert.equal(hours({ kind: 'cron', fields: '0 4 * * 1#1' }), 35 * 24);
  assert.equal(hours({ kind: 'cron', fields: '0 4 * * 5L' }), 35 * 24);
  assert.equal(hours({ kind: 'cron', fields: '0 0 1 1 *' }), 366 * 24);
  assert.equal(hours({ kind: 'cron', fields: '0 0 29 2 *' }), 1461 * 24);
  assert.equal(hours({ kind: 'every', span: spanOf('90m') }), 1.5);
  assert.equal(hours({ kind: 'on', event: 'release' }), Infinity);
});

test('what is no time of day is none', () => {
  for (const text of ['24:00', '2:00', '02:60', 'Son 03:00', '02:00 Mars/Base', 'Sun Mon 02:00', ''])
    assert.equal(clockTimeOf(text), undefined, text);
});

test('lengths of time have a unit; months and years count on the calendar', () => {
  assert.deepEqual(spanOf('1y6mo2w3d4h'), {
    text: '1y6mo2w3d4h',
    ms: (365 + 180 + 14 + 3) * 86_400_000 + 4 * 3_600_000,
    calendar: { years: 1, months: 6, days: 17, hours: 4 },
  });
  assert.equal(spanOf('15m').ms, 900_000);
  assert.deepEqual([spanText(900_000), spanText(86_400_000), spanText(5_400_000)], ['15 min', '1 d', '90 min']);
});
