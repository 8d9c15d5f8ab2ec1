import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { HoldfastError } from '../src/errors/error.ts';
import { openS3 } from '../src/storage/s3.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import type { PutOptions } from '../src/storage/storage.ts';
import { withoutGo } from './servers/go-program.ts';
import { minio, minioKey } from './servers/minio.ts';
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
  const heads = new S3Client({
    ...{ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true },
    credentials: { accessKeyId: ownerKeys.id, secretAccessKey: ownerKeys.secret },
  });
  const kept = async (options: Readonly<Record<string, string>>, key: string, sizeBytes: number): Promise<unknown> => {
    const settings = { environment: server.owner, options: new Map(Object.entries(options)), throttles: {} };
    const tuning = { partBytes: 5 * 1024 * 1024 };
    await using storage = await openS3(`${server.endpoint}/bucket`, { ...settings, create: true }, tuning);
    const bytes = Buffer.alloc(sizeBytes, 'secret');
    await storage.put(key, [bytes]);
    assert.ok(bytes.equals(await storage.get(key)));
    const head = await heads.send(new HeadObjectCommand({ Bucket: 'bucket', Key: key }));
    return [head.StorageClass, head.ServerSideEncryption, head.SSEKMSKeyId?.replace('arn:aws:kms:', '')];
  };
  const byServer = { 's3.sse': 'AES256', 's3.storage-class': 'REDUCED_REDUNDANCY' };
  assert.deepEqual(await kept(byServer, 'config', 6), ['REDUCED_REDUNDANCY', 'AES256', undefined]);
  const byKey = { 's3.sse': 'aws:kms', 's3.sse-kms-key-id': minioKey };
  assert.deepEqual(await kept(byKey, 'keys/one', 6), [undefined, 'aws:kms', minioKey]);
  assert.deepEqual(await kept(byKey, 'data/large', 6 * 1024 * 1024), [undefined, 'aws:kms', minioKey]);
  const unknown = kept({ ...byKey, 's3.sse-kms-key-id': 'none' }, 'keys/two', 6);
  await assert.rejects(unknown, (error) => error instanceof HoldfastError);
  heads.destroy();
});
