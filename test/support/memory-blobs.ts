import { createHash } from 'node:crypto';
import { blobIdOf, type BlobId } from '../../src/bytes/ids.ts';
import { HoldfastError } from '../../src/errors/error.ts';
import type { Content } from '../../src/repository/content.ts';
import type { BlobType } from '../../src/repository/index.ts';
import type { BlobWriter, StoredBlob, StoredContent } from '../../src/repository/repository.ts';
import type { ArchiveInput } from '../../src/snapshot/archive.ts';

/**
 * Blobs in memory, one for each content, with what a test needs to disturb: blobs can be lost, contents held back.
 */
export class MemoryBlobs {
  /** By type and ID. */
  readonly blobs = new Map<string, Uint8Array>();
  /** What contents of kind 'file' read; a path that isn't here can't be read. */
  readonly files = new Map<string, Uint8Array>();
  /** Awaited by each content before it is stored. */
  delay: (content: Content) => Promise<void> = async () => undefined;

  get repository(): ArchiveInput['repository'] {
    const has = (type: BlobType, id: BlobId): boolean => this.blobs.has(`${type} ${id}`);
    const none = (): never[] => [];
    return {
      index: { size: 0, has, locate: () => undefined, locations: none, all: none, plainLength: () => undefined },
      readBlob: async (type, id) => this.read(type, id),
    };
  }

  get writer(): BlobWriter {
    return {
      ready: async () => undefined,
      getReady: () => undefined,
      store: async (content) => {
        await this.delay(content);
        return await this.#store(content);
      },
      storeTree: async (json) => this.#put('tree', json),
      storeBlob: async (type, plaintext) => this.#put(type, plaintext),
      carry: async (from, _pack, blobs) => {
        for (const { type, id } of blobs) this.#put(type, await from.readBlob(type, id));
        return [];
      },
      flush: async () => undefined,
      totals: { dataBlobs: 0, treeBlobs: 0, dataBytes: 0, treeBytes: 0, dataStoredBytes: 0, treeStoredBytes: 0 },
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  read(type: BlobType, id: BlobId): Uint8Array {
    const blob = this.blobs.get(`${type} ${id}`);
    if (blob === undefined) throw new HoldfastError('blob-missing', `no ${type} blob ${id}`);
    return blob;
  }

  async #store(content: Content): Promise<StoredContent> {
    if (content.kind === 'blobs') return { ids: content.ids, sizeBytes: 0, newBlobs: 0, newBytes: 0, storedBytes: 0 };
    const bytes = await this.#bytesOf(content);
    if (bytes.length === 0) return { ids: [], sizeBytes: 0, newBlobs: 0, newBytes: 0, storedBytes: 0 };
    const { id, known, storedBytes } = this.#put('data', bytes);
    const newBytes = known ? 0 : bytes.length;
    return { ids: [id], sizeBytes: bytes.length, newBlobs: known ? 0 : 1, newBytes, storedBytes };
  }

  async #bytesOf(content: Content): Promise<Uint8Array> {
    if (content.kind === 'stream') return Buffer.concat(await Array.fromAsync(content.stream));
    const bytes = content.kind === 'file' ? this.files.get(content.path) : undefined;
    if (bytes === undefined) throw new HoldfastError('source-failed', 'it is gone');
    return bytes;
  }

  #put(type: BlobType, bytes: Uint8Array): StoredBlob {
    const id = blobIdOf(createHash('sha256').update(bytes).digest());
    const known = this.blobs.has(`${type} ${id}`);
    this.blobs.set(`${type} ${id}`, bytes);
    return { id, known, storedBytes: known ? 0 : bytes.length + 32 };
  }
}
