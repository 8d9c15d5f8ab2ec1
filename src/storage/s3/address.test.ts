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

test('in a URL of S3 escapes are read as restic does, in its other forms they are names', () => {
  const url = parseS3Address('https://host/shop/a%20b/100%25%3F%23');
  assert.deepEqual([url.bucket, url.prefix], ['shop', 'a b/100%?#/']);
  assert.deepEqual(parseS3Address(showS3Address(url).slice('s3:'.length)), url);
  assert.equal(parseS3Address('host/shop/a%20b?').prefix, 'a%20b?/');
  assert.equal(parseS3Address('https://host/shop/ü+(1)').prefix, 'ü+(1)/');
  assert.equal(parseS3Address('https://host/te%2Fnant').prefix, 'nant/');
  for (const form of [
    'https://host/shop/a?b',
    'https://host/shop/a#b',
    'https://host/shop/100%',
    'https://host/b/%2e%2e',
  ])
    assert.throws(() => parseS3Address(form), { code: 'usage' }, form);
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
