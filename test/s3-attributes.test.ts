import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { openStorage } from '../src/storage/open.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import type { PutOptions } from '../src/storage/storage.ts';
import { withoutGo } from './servers/go-program.ts';
import { minio } from './servers/minio.ts';
import { ownerKeys } from './servers/s3-server.ts';
import { blobBytes, newRepository, storeBlobs } from './support/repository.ts';

test('only packs of data are said to be rarely read, so an archive class takes nothing else', async () => {
  const rare = new Map<string, boolean>();
  class Noting extends MemoryStorage {
    override async put(key: string, data: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
      rare.set(key, options.rarelyRead ?? false);
      await super.put(key, data, options);
    }
  }
  await using repository = await newRepository(new Noting());
  await storeBlobs(repository, 'data', [blobBytes('data', 1000)]);
  await storeBlobs(repository, 'tree', [Buffer.from('{"nodes":[]}\n')]);
  const packs = new Map(
    [...repository.index.all()].map(({ pack, type }) => [`data/${pack.slice(0, 2)}/${pack}`, type]),
  );
  assert.deepEqual(new Set(packs.values()), new Set(['data', 'tree']));
  for (const [key, isRare] of rare) assert.equal(isRare, packs.get(key) === 'data', key);
});

test('MinIO keeps the storage class and encrypts as it is asked to', { skip: withoutGo() }, async () => {
  await using server = await minio();
  const options = new Map([
    ['s3.storage-class', 'REDUCED_REDUNDANCY'],
    ['s3.sse', 'AES256'],
  ]);
  const url = `s3:${server.endpoint}/bucket`;
  await using storage = await openStorage(url, { create: true, environment: server.owner, options });
  await storage.put('config', [Buffer.from('secret')]);
  assert.equal(Buffer.from(await storage.get('config')).toString(), 'secret');
  const credentials = { accessKeyId: ownerKeys.id, secretAccessKey: ownerKeys.secret };
  const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  const { StorageClass, ServerSideEncryption } = await client.send(
    new HeadObjectCommand({ Bucket: 'bucket', Key: 'config' }),
  );
  client.destroy();
  assert.deepEqual([StorageClass, ServerSideEncryption], ['REDUCED_REDUNDANCY', 'AES256']);
});
