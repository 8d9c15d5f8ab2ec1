import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeOf } from './time-argument.ts';

/** 2026-03-29 02:30 in Kyiv: an hour later clocks leap. */
const here = { zone: 'Europe/Kyiv', nowNs: Temporal.Instant.from('2026-03-29T00:30:00Z').epochNanoseconds };

function instant(text: string): string {
  return new Temporal.Instant(timeOf(text, '--oldest', here)).toString();
}

test('a time is a date in any of its forms, today or yesterday, each in the zone that is meant', () => {
  assert.equal(instant('today'), '2026-03-28T22:00:00Z');
  assert.equal(instant('yesterday'), '2026-03-27T22:00:00Z');
  assert.equal(instant('yesterday 14:00'), '2026-03-28T12:00:00Z');
  assert.equal(instant('today 14:00'), '2026-03-29T11:00:00Z');
  assert.equal(instant('yesterday 23:00 Z'), '2026-03-28T23:00:00Z');
  for (const text of ['2026-08-01', '2026/08/01', '01.08.2026']) assert.equal(instant(text), '2026-07-31T21:00:00Z');
  for (const text of ['tomorrow', 'yesterdays', '2026-13-01', ''])
    assert.throws(() => instant(text), { code: 'usage', message: /--oldest: .*"yesterday"/ });
});
