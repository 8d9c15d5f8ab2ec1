import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMoment } from './moment.ts';

const now = Temporal.ZonedDateTime.from('2026-11-22T12:00:00+01:00[Europe/Berlin]');
const instant = (text: string): string | undefined => {
  const parsed = parseMoment(text, now);
  return parsed && `${Temporal.Instant.fromEpochNanoseconds(parsed.moment.ns).toString()}|${parsed.rest}`;
};

test('a time is taken as PostgreSQL writes it, with a zone in hours alone', () => {
  assert.equal(instant('2026-11-22 14:40:12.450957+00'), '2026-11-22T14:40:12.450957Z|');
  assert.equal(instant('2026-11-22 14:40:12-05'), '2026-11-22T19:40:12Z|');
  assert.equal(instant('2026-11-22 14:40:12+05:30'), '2026-11-22T09:10:12Z|');
  assert.equal(instant('2026-11-22 14:40+02:shop-db'), '2026-11-22T12:40:00Z|shop-db');
  assert.equal(instant('2026-11-22 14:40:12'), '2026-11-22T13:40:12Z|', 'without one it is the policy’s');
});

test('behind a date an hour alone is no zone, and half a zone is none', () => {
  for (const text of ['2026-11-20-14', 'today-05']) assert.equal(parseMoment(text, now), undefined, text);
  // As with any snapshot, what follows a colon is a folder in it: whoever wants a moment alone refuses that.
  assert.equal(instant('2026-11-22 14:40:12+5'), '2026-11-22T13:40:00Z|12+5');
});
