import { createHash } from 'node:crypto';
import { fileIdOf, type FileId } from '../../bytes/ids.ts';
import { fileIdFor } from '../../crypto/id.ts';
import { hasCode, type HoldfastError } from '../../errors/error.ts';
import { transientCodes, type PutOptions, type StagedObject, type Storage } from '../../storage/storage.ts';
import type { BlobType } from '../index.ts';
import { keyOf } from '../layout.ts';
import { blockBytes, type BlockPool } from './blocks.ts';

/** Where packs' bytes go while they grow. */
export interface PackMemory {
  readonly pool: BlockPool;
  readonly storage: Storage;
  /** A pack that has so many bytes is written to the storage as it grows, where that can be. */
  readonly stageFromBytes: number;
  /** Blocks on their way to a staged object: more by the first call, fewer by the second. */
  readonly onStaging: (blocks: number) => void;
  /** What is staged can't be written. */
  readonly onFailure: (error: unknown) => void;
}

/** A pack's bytes, in memory until they are many, then in an object that the storage has staged. */
export class PackBytes {
  readonly #memory: PackMemory;
  readonly #type: BlobType;
  readonly #hash = createHash('sha256');
  readonly #blocks: Uint8Array[] = [];
  /** Bytes in the last block. */
  #used = blockBytes;
  #length = 0;
  #staged: Promise<StagedObject> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(memory: PackMemory, type: BlobType) {
    this.#memory = memory;
    this.#type = type;
  }

  get length(): number {
    return this.#length;
  }

  get isStaged(): boolean {
    return this.#staged !== undefined;
  }

  /** Trees are read by every command that looks into a snapshot. */
  get #reading(): Pick<PutOptions, 'rarelyRead'> {
    return this.#type === 'data' ? { rarelyRead: true } : {};
  }

  append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      if (this.#used === blockBytes) this.#nextBlock();
      const part = bytes.subarray(done, done + blockBytes - this.#used);
      this.#blocks.at(-1)?.set(part, this.#used);
      this.#used += part.length;
      done += part.length;
    }
    this.#length += bytes.length;
  }

  /** Takes over the bytes of another pack, which is in memory. */
  absorb(other: PackBytes): void {
    for (const part of other.#parts()) this.append(part);
    other.#release();
  }

  /** Stores the pack under its hash, which it resolves with. No more bytes may come. */
  async store(signal: AbortSignal): Promise<FileId> {
    const parts = this.#parts();
    const last = parts.at(-1);
    if (last) this.#hash.update(last);
    const id = fileIdOf(this.#hash.digest());
    const key = keyOf('data', id);
    if (this.#staged) await this.#commit(id, parts, signal);
    else await this.#memory.storage.put(key, parts, { signal, ...this.#reading });
    this.#release();
    return id;
  }

  /** Leaves nothing of a pack that is not wanted any more. */
  async discard(): Promise<void> {
    const staged = await this.#staged?.catch(() => undefined);
    await this.#writing;
    await staged?.[Symbol.asyncDispose]();
  }

  async #commit(id: FileId, parts: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    await this.#writing;
    if (this.#failure) throw this.#failure.error;
    signal.throwIfAborted();
    const staged = await this.#staged;
    await staged?.write(parts);
    try {
      await staged?.commit(keyOf('data', id), { signal });
    } catch (error) {
      if (!staged || signal.aborted || !hasCode(error, ...transientCodes)) throw error;
      await this.#memory.storage.put(keyOf('data', id), [await readBack(staged, id, error)], {
        signal,
        ...this.#reading,
      });
    }
  }

  #parts(): readonly Uint8Array[] {
    const last = this.#blocks.length - 1;
    return this.#blocks.map((block, number) => (number === last ? block.subarray(0, this.#used) : block));
  }

  #nextBlock(): void {
    const full = this.#blocks.at(-1);
    if (full) this.#hash.update(full);
    const { storage, stageFromBytes } = this.#memory;
    if (this.#blocks.length * blockBytes >= stageFromBytes || this.#staged) this.#staged ??= storage.stage?.();
    if (this.#staged) this.#write(this.#staged, this.#blocks.splice(0));
    this.#blocks.push(this.#memory.pool.take());
    this.#used = 0;
  }

  #write(staged: Promise<StagedObject>, blocks: readonly Uint8Array[]): void {
    this.#memory.onStaging(blocks.length);
    this.#writing = this.#writing.then(async () => {
      try {
        await (await staged).write(blocks);
        for (const block of blocks) this.#memory.pool.give(block);
      } catch (error) {
        this.#failure ??= { error };
        this.#memory.onFailure(error);
      } finally {
        this.#memory.onStaging(-blocks.length);
      }
    });
  }

  #release(): void {
    for (const block of this.#blocks.splice(0)) this.#memory.pool.give(block);
  }
}

/** What was staged under this hash, after a commit that failed: where it reads otherwise by now, that is the error. */
async function readBack(staged: StagedObject, id: FileId, error: HoldfastError): Promise<Uint8Array> {
  const bytes = await staged.read().catch(() => undefined);
  if (bytes === undefined || fileIdFor(bytes) !== id) throw error;
  return bytes;
}
