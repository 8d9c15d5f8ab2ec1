import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGoTime, goTime } from '../bytes/go-time.ts';
import { zoneOf } from '../clock/zone.ts';
import { formatDuration, parseDuration, subtractDuration } from './duration.ts';

test('durations are read in any order and written from years to hours', () => {
  for (const [text, written] of [
    ['9h', '9h'],
    ['4d2h', '4d2h'],
    ['5d7m', '7m5d'],
    ['4h3d9m', '9m3d4h'],
    [' 1y5m7d2h ', '1y5m7d2h'],
    ['1d3d', '3d'],
    ['', ''],
    ['0h', ''],
  ] as const) {
    assert.equal(formatDuration(parseDuration(text)), written);
  }
});

test('what is no duration is refused', () => {
  for (const text of ['2w', '1y4m3w1d', 's', '5', '1y 2m', '-7m5d', '1.5h', '٣d', '99999999999999999999h']) {
    assert.throws(() => parseDuration(text), { code: 'usage' });
  }
});

test('days beyond the end of a month count into the next', () => {
  const utc = zoneOf('UTC');
  for (const [from, duration, to] of [
    ['2023-03-31T10:00:00Z', '1m', '2023-03-03T10:00:00Z'],
    ['2024-03-31T10:00:00Z', '1m', '2024-03-02T10:00:00Z'],
    ['2024-02-29T10:00:00.5Z', '1y', '2023-03-01T10:00:00.5Z'],
    ['2024-01-15T00:30:00Z', '1m14d1h', '2023-11-30T23:30:00Z'],
    ['2016-01-18T12:02:03Z', '1y13m40d30h', '2013-11-07T06:02:03Z'],
  ] as const) {
    assert.equal(goTime(subtractDuration(parseGoTime(from), parseDuration(duration), utc), utc), to);
  }
});

test('a day less is the same hour of the zone, also across a change of clocks; hours are elapsed time', () => {
  const kyiv = zoneOf('Europe/Kyiv');
  const back = (from: string, duration: string): string =>
    goTime(subtractDuration(parseGoTime(from), parseDuration(duration), kyiv), kyiv);
  assert.equal(back('2024-04-01T12:00:00+03:00', '2d'), '2024-03-30T12:00:00+02:00');
  assert.equal(back('2024-04-01T12:00:00+03:00', '48h'), '2024-03-30T11:00:00+02:00');
});
