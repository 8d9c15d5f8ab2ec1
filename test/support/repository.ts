import { createHash } from 'node:crypto';
import type { BlobId } from '../../src/bytes/ids.ts';
import { ManualClock } from '../../src/clock/manual-clock.ts';
import { silent } from '../../src/events/events.ts';
import { createRepository } from '../../src/repository/create.ts';
import type { Repository, RepositoryConfig } from '../../src/repository/repository.ts';
import type { BlobType } from '../../src/repository/index.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { writerOptions } from './pipeline.ts';

export const testPassword = 'correct horse';

/** A key that costs next to nothing to open. */
export const testKey = { hostname: 'host', username: 'ann', password: testPassword, kdf: { N: 2, r: 1, p: 1 } };

export async function newRepository(
  storage: Storage = new MemoryStorage(),
  version: RepositoryConfig['version'] = 2,
): Promise<Repository> {
  return createRepository({ storage, clock: new ManualClock(), key: testKey, version });
}

/** Bytes that differ by `name`, that don't compress, and that are the same in every run. */
export function blobBytes(name: string, sizeBytes: number): Buffer {
  return createHash('shake256', { outputLength: sizeBytes }).update(name).digest();
}

/** Stores blobs in one go, as one backup would, and loads the index anew. Their IDs. */
export async function storeBlobs(
  repository: Repository,
  type: BlobType,
  contents: readonly Uint8Array[],
): Promise<readonly BlobId[]> {
  await using writer = await repository.openWriter(writerOptions());
  const stored = await Promise.all(contents.map((bytes) => writer.storeBlob(type, bytes, { evenIfKnown: true })));
  await writer.flush();
  await repository.loadIndex(silent);
  return stored.map(({ id }) => id);
}
