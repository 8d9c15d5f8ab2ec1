import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseS3Address, showS3Address } from './address.ts';

test('restic’s forms of an S3 address mean the same place', () => {
  for (const form of ['https://s3.example.com/shop/a/b', 's3.example.com/shop/a/b', '//s3.example.com/shop/a//./b/']) {
    const address = parseS3Address(form);
    assert.deepEqual(address, {
      endpoint: 'https://s3.example.com',
      host: 's3.example.com',
      bucket: 'shop',
      prefix: 'a/b/',
    });
    assert.equal(showS3Address(address), 's3:https://s3.example.com/shop/a/b');
  }
  const plain = parseS3Address('http://127.0.0.1:9000/shop');
  assert.deepEqual([plain.endpoint, plain.prefix], ['http://127.0.0.1:9000', '']);
  assert.equal(showS3Address(plain), 's3:http://127.0.0.1:9000/shop');
});

test('an address on S3 without a bucket, or that leads upwards, is usage', () => {
  for (const form of ['', 'https://host', 'host/', '//host//prefix', 'host/bucket/../other', 'a b/bucket'])
    assert.throws(() => parseS3Address(form), { code: 'usage' }, form);
});

test('a secret before the host is neither kept nor told', () => {
  const address = parseS3Address('https://me:hidden@host/bucket');
  assert.doesNotMatch(JSON.stringify(address) + showS3Address(address), /hidden/);
  assert.throws(
    () => parseS3Address('https://me:hidden@host'),
    (error) => error instanceof Error && !error.message.includes('hidden'),
  );
});
