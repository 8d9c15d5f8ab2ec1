import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attributesOf } from './attributes.ts';
import { s3Options } from './options.ts';

const given = (...pairs: readonly (readonly [string, string])[]): ReturnType<typeof s3Options> =>
  s3Options({ options: new Map(pairs) });

test('an archive class takes packs of data only, any other class everything', () => {
  for (const name of ['GLACIER', 'DEEP_ARCHIVE']) {
    const options = given(['s3.storage-class', name]);
    assert.deepEqual(attributesOf(options, { rarelyRead: true }), { StorageClass: name });
    assert.deepEqual(attributesOf(options, {}), {});
  }
  const warm = given(['s3.storage-class', 'STANDARD_IA']);
  assert.deepEqual(attributesOf(warm, {}), { StorageClass: 'STANDARD_IA' });
  assert.deepEqual(attributesOf(given(), { rarelyRead: true }), {});
});

test('encryption by the server is asked for with its key', () => {
  assert.deepEqual(attributesOf(given(['s3.sse', 'AES256']), {}), { ServerSideEncryption: 'AES256' });
  const kms = given(['s3.sse', 'aws:kms'], ['s3.sse-kms-key-id', 'key']);
  assert.deepEqual(attributesOf(kms, {}), { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'key' });
  assert.throws(() => given(['s3.sse', 'yes']), { code: 'usage' });
  assert.throws(() => given(['s3.sse-kms-key-id', 'key']), { code: 'usage' });
});
