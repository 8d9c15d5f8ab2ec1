import assert from 'node:assert/strict';
import { test } from 'node:test';
import { s3Options } from './options.ts';

const given = (...pairs: readonly (readonly [string, string])[]): ReturnType<typeof s3Options> =>
  s3Options({ options: new Map(pairs) });

test('options of S3 have restic’s names; those of other storages don’t concern it', () => {
  const options = given(
    ['s3.region', 'eu-central-1'],
    ['s3.bucket-lookup', 'DNS'],
    ['s3.connections', '3'],
    ['sftp.x', '1'],
  );
  assert.deepEqual([options.region, options.bucketLookup, options.connections], ['eu-central-1', 'dns', 3]);
  assert.deepEqual(given(['s3.list-objects-v1', 'true'], ['s3.retries', '7']).listObjectsV1, true);
});

test('the region comes from the option, else from AWS_DEFAULT_REGION', () => {
  const environment = { AWS_DEFAULT_REGION: 'eu-west-1' };
  assert.equal(s3Options({ environment }).region, 'eu-west-1');
  assert.equal(s3Options({ environment, options: new Map([['s3.region', 'eu-west-2']]) }).region, 'eu-west-2');
  assert.equal(s3Options({ environment: { AWS_DEFAULT_REGION: '' } }).region, undefined);
});

test('unknown options and values of S3 are usage', () => {
  for (const [name, value] of [
    ['s3.regoin', 'x'],
    ['s3.bucket-lookup', 'host'],
    ['s3.connections', '0'],
    ['s3.list-objects-v1', 'perhaps'],
    ['s3.lock', '30'],
    ['s3.lock', '0d'],
    ['s3.lock-mode', 'compliance'],
    ['s3.enable-restore', 'perhaps'],
    ['s3.restore-days', '0'],
    ['s3.restore-tier', 'fast'],
    ['s3.restore-timeout', '24'],
    ['s3.thaw-price', '1 EUR'],
  ] as const)
    assert.throws(() => given([name, value]), { code: 'usage' }, name);
});

test('how packs come out of an archive is said as to restic, and nothing is asked for unless it is allowed', () => {
  assert.deepEqual(given().thaw, {
    ...{ permission: 'refused', days: 7, tier: 'Standard', patienceMs: 86_400_000, pricePerGib: undefined },
  });
  const { thaw } = given(
    ['s3.enable-restore', '1'],
    ['s3.restore-days', '2'],
    ['s3.restore-tier', 'bulk'],
    ['s3.restore-timeout', '1h30m'],
    ['s3.thaw-price', '0.0025'],
  );
  assert.deepEqual(thaw, {
    ...{ permission: 'given', days: 2, tier: 'Bulk', patienceMs: 5_400_000, pricePerGib: 0.0025 },
  });
});

test('a lock has a time and, unless governance is asked for, is against everybody', () => {
  assert.deepEqual(given(['s3.lock', '30d']).lock, { ms: 30 * 86_400_000, mode: 'compliance' });
  assert.deepEqual(given(['s3.lock', '12h'], ['s3.lock-mode', 'governance']).lock, {
    ms: 43_200_000,
    mode: 'governance',
  });
  assert.equal(given().lock, undefined);
});
