import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs, packSizeBytes, sizeBytes } from './quantity.ts';

test('sizes are powers of 1024, as restic reads them', () => {
  assert.equal(sizeBytes('500', 'x'), 500);
  assert.equal(sizeBytes('10b', 'x'), 10);
  assert.equal(sizeBytes('2K', 'x'), 2048);
  assert.equal(sizeBytes('3m', 'x'), 3 * 2 ** 20);
  assert.equal(sizeBytes('1T', 'x'), 2 ** 40);
  for (const bad of ['', '-1', '1.5M', '1MB', 'M', '99999999999T'])
    assert.throws(() => sizeBytes(bad, 'x'), { code: 'usage' });
});

test('durations are Go’s', () => {
  assert.equal(durationMs('5m', 'x'), 300_000);
  assert.equal(durationMs('1h30m', 'x'), 5_400_000);
  assert.equal(durationMs('1.5s', 'x'), 1500);
  assert.equal(durationMs('0', 'x'), 0);
  for (const bad of ['', '5', '1d', 'm', '-5m']) assert.throws(() => durationMs(bad, 'x'), { code: 'usage' });
});

test('a pack has 4 to 128 MiB', () => {
  assert.equal(packSizeBytes('4', 'x'), 4 * 2 ** 20);
  assert.throws(() => packSizeBytes('3', 'x'), { code: 'usage' });
  assert.throws(() => packSizeBytes('129', 'x'), { code: 'usage' });
});
