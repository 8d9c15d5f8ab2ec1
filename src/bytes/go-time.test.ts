import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { zoneOf } from '../clock/zone.ts';
import { hasCode } from '../errors/error.ts';
import { goTime, goTimeOffset, parseGoTime } from './go-time.ts';

const utc = zoneOf('UTC');

test('the fraction has as many digits as it needs', () => {
  assert.equal(goTime(0n, utc), '1970-01-01T00:00:00Z');
  assert.equal(goTime(1_500_000_000n, utc), '1970-01-01T00:00:01.5Z');
  assert.equal(goTime(-1n, utc), '1969-12-31T23:59:59.999999999Z');
});

test('times agree with the calendar of the runtime, in zones with changing offsets', () => {
  const zones = ['UTC', 'Europe/Kyiv', 'America/St_Johns', 'Asia/Kathmandu', 'Australia/Lord_Howe'];
  const limit = 4_000_000_000_000_000_000n;
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.bigInt({ min: -2_000_000_000_000_000_000n, max: limit }), (id, ns) => {
      const expected = Temporal.Instant.fromEpochNanoseconds(ns).toZonedDateTimeISO(id);
      const text = goTime(ns, zoneOf(id));
      assert.equal(text.slice(0, 19), expected.toPlainDateTime().toString().slice(0, 19));
      // Offsets with seconds (before standard time) are cut in the text, so only those come back exactly.
      if (expected.offsetNanoseconds % 60_000_000_000 === 0) assert.equal(parseGoTime(text), ns);
    }),
    { numRuns: 2000 },
  );
});

test('one zone answers for instants in any order', () => {
  const zone = zoneOf('Europe/Berlin');
  const winter = 1_700_000_000;
  const summer = 1_690_000_000;
  assert.deepEqual(
    [winter, summer, winter, summer].map((at) => zone.offsetAt(at)),
    [3600, 7200, 3600, 7200],
  );
  assert.deepEqual(
    [1_679_792_399, 1_679_792_400].map((at) => zone.offsetAt(at)),
    [3600, 7200],
  );
});

test('an offset of seconds is cut to minutes, as Go does', () => {
  assert.equal(goTime(-3_000_000_000_000_000_000n, zoneOf('Europe/Kyiv')).slice(-6), '+02:02');
});

test('years that JSON can’t hold are moved to 0 and 9999', () => {
  assert.equal(goTime(300_000_000_000n * 1_000_000_000n, utc).slice(0, 4), '9999');
  assert.equal(goTime(-100_000_000_000n * 1_000_000_000n, utc).slice(0, 4), '0000');
});

test('times are read with any offset and any number of digits', () => {
  assert.equal(parseGoTime('1970-01-01T02:00:00.1234567891+02:00'), 123_456_789n);
  assert.equal(parseGoTime('1969-12-31T18:30:00-05:30'), 0n);
  assert.equal(parseGoTime('0001-01-01T00:00:00Z'), -62_135_596_800_000_000_000n);
});

const refused = [
  '',
  '1970-01-01',
  '1970-01-01T00:00:00',
  '1970-02-30T00:00:00Z',
  '1970-13-01T00:00:00Z',
  '1970-01-01T24:00:00Z',
  '1970-01-01T00:00:00.Z',
  '1970-01-01T00:00:00+24:00',
  '1970-01-01t00:00:00Z',
  '1970-01-01T00:00:00Zx',
  '1970-01-01 00:00:00Z',
];
for (const text of refused) {
  test(`${JSON.stringify(text)} is no time`, () => {
    assert.throws(
      () => parseGoTime(text),
      (error) => hasCode(error, 'damaged'),
    );
  });
}

test('the offset of a time is read, and Z is none', () => {
  assert.equal(goTimeOffset('2024-01-01T00:00:00Z'), undefined);
  assert.equal(goTimeOffset('2024-01-01T00:00:00.5+02:00'), 7200);
  assert.equal(goTimeOffset('2024-01-01T00:00:00-03:30'), -12600);
  assert.throws(() => goTimeOffset('2024-01-01T00:00:00'), { code: 'damaged' });
});
