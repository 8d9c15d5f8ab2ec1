import { createHash, randomBytes } from 'node:crypto';
import { fileIdOf, type BlobId, type FileId } from '../../src/bytes/ids.ts';
import { systemClock, type Clock } from '../../src/clock/clock.ts';
import { decompress } from '../../src/compression/zstd.ts';
import { open, type RepositoryKey } from '../../src/crypto/seal.ts';
import { decodeIndexFile } from '../../src/repository/index-file.ts';
import type { BlobLocation, BlobType } from '../../src/repository/index.ts';
import { SharedIndex } from '../../src/repository/index/shared-index.ts';
import { keyOf } from '../../src/repository/layout.ts';
import type { Chunking } from '../../src/repository/content.ts';
import { openWriter } from '../../src/repository/pipeline/writer.ts';
import type { BlobWriter, RepositoryConfig, WriterOptions } from '../../src/repository/repository.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';

type EngineConfig = Pick<RepositoryConfig, 'version' | 'chunkerPolynomial' | 'chunking'>;

const mebibyte = 2 ** 20;
const resticChunking: Chunking = {
  kind: 'rabin',
  minBytes: mebibyte / 2,
  averageBytes: mebibyte,
  maxBytes: 8 * mebibyte,
};

/** What a writer and a reader need of a repository, and nothing more of one. */
export class PipelineRepository {
  readonly storage: Storage;
  readonly key: RepositoryKey = { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) };
  readonly config: EngineConfig;
  readonly index = new SharedIndex();
  readonly clock: Clock;

  constructor(storage: Storage = new MemoryStorage(), clock: Clock = systemClock, chunking: Chunking = resticChunking) {
    this.config = { version: 2, chunkerPolynomial: '3da3358b4dc173', chunking };
    this.storage = storage;
    this.clock = clock;
  }

  readonly writeIndex = async (plaintext: Uint8Array): Promise<FileId> => {
    const id = fileIdOf(createHash('sha256').update(plaintext).digest());
    await this.storage.put(keyOf('index', id), [plaintext]);
    return id;
  };

  /** What the stored index files name. */
  async indexed(): Promise<readonly BlobLocation[]> {
    const locations: BlobLocation[] = [];
    for await (const { key } of this.storage.list('index/')) {
      const { packs } = decodeIndexFile(await this.storage.get(key), key);
      for (const { id: pack, blobs } of packs) locations.push(...blobs.map((blob) => ({ ...blob, pack })));
    }
    return locations;
  }

  async packs(): Promise<ReadonlySet<string>> {
    const names = new Set<string>();
    for await (const { key } of this.storage.list('data/')) names.add(key.slice(-64));
    return names;
  }

  /** A blob's plaintext, as the stored index files and packs have it. */
  async blobs(): Promise<(type: BlobType, id: BlobId) => Promise<Buffer>> {
    const locations = new Map((await this.indexed()).map((location) => [location.type + location.id, location]));
    return async (type, id) => {
      const location = locations.get(type + id);
      if (!location) throw new Error(`no index names ${id}`);
      const payload = open(this.key, await this.storage.get(keyOf('data', location.pack), { range: location }));
      const plain = Buffer.from(location.compressed ? decompress(payload, location.plainLength) : payload);
      if (createHash('sha256').update(plain).digest('hex') !== id) throw new Error(`${id} is damaged`);
      return plain;
    };
  }
}

export function writerOptions(options: Partial<WriterOptions> = {}): WriterOptions {
  return {
    compression: 'auto',
    packSizeBytes: 4 * 2 ** 20,
    extraVerify: 'verified',
    readConcurrency: 2,
    signal: new AbortController().signal,
    mode: 'store',
    ...options,
  };
}

/** A writer of a repository of its own, in memory. */
export async function pipelineWriter(): Promise<BlobWriter> {
  return await openWriter(new PipelineRepository(), writerOptions());
}
