import type { FileId } from '../../bytes/ids.ts';
import type { Clock } from '../../clock/clock.ts';
import { seal, type RepositoryKey } from '../../crypto/seal.ts';
import { TaskGroup } from '../../flow/task-group.ts';
import type { Storage } from '../../storage/storage.ts';
import { encodeIndexFile } from '../index-file.ts';
import type { SharedIndex } from '../index/shared-index.ts';
import { encodeHeader, packTail } from '../pack.ts';
import type { BlobRecords } from './blob-records.ts';
import type { OpenPack } from './open-pack.ts';

export interface PackStoreDeps {
  readonly storage: Storage;
  readonly key: RepositoryKey;
  readonly index: SharedIndex;
  readonly clock: Clock;
  /** Stores an index file; resolves when it is durable. */
  readonly writeIndex: (plaintext: Uint8Array) => Promise<FileId>;
}

interface DurablePack {
  readonly id: FileId;
  readonly blobs: BlobRecords;
}

/** An index file is written once it would name so many blobs (its JSON takes 150 bytes each, several times over), or once its first pack waited so long. */
const maxIndexBlobs = 20_000;
const maxIndexDelayMs = 10 * 60 * 1000;

/** Puts packs to the storage, a few at a time, and then names them in index files. */
export class PackStore implements AsyncDisposable {
  readonly #deps: PackStoreDeps;
  readonly #group: TaskGroup;
  #durable: DurablePack[] = [];
  #durableBlobs = 0;
  #durableSinceMs = 0;
  /** Packs that were handed over and are not durable yet. */
  underWay = 0;

  constructor(deps: PackStoreDeps, options: { readonly limit: number; readonly signal: AbortSignal }) {
    this.#deps = deps;
    this.#group = new TaskGroup(options);
  }

  /** `done` is called when the pack's memory is free again; a failure aborts `signal`. */
  store(pack: OpenPack, done: () => void): void {
    this.underWay += 1;
    this.#group.run(async (signal) => {
      try {
        await this.#put(pack, signal);
      } finally {
        await pack.bytes.discard();
      }
      this.underWay -= 1;
      done();
      if (this.#isIndexDue()) await this.#writeIndex();
    });
  }

  /** Aborted by the first failure. */
  get signal(): AbortSignal {
    return this.#group.signal;
  }

  /** Every pack that was handed over is durable and indexed when it resolves. */
  async flush(): Promise<void> {
    await this.#group.wait();
    await this.#writeIndex();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#group[Symbol.asyncDispose]();
  }

  async #put(pack: OpenPack, signal: AbortSignal): Promise<void> {
    const { key, index, clock } = this.#deps;
    const header = encodeHeader(Array.from(pack.blobs, (blob) => ({ ...blob, id: index.idAt(blob.slot) })));
    pack.bytes.append(packTail(seal(key, header)));
    const id = await pack.bytes.store(signal);
    index.place(id, pack.blobs);
    if (this.#durable.length === 0) this.#durableSinceMs = clock.monotonicMs();
    this.#durable.push({ id, blobs: pack.blobs });
    this.#durableBlobs += pack.blobs.count;
  }

  #isIndexDue(): boolean {
    if (this.#durableBlobs >= maxIndexBlobs) return true;
    return this.#durable.length > 0 && this.#deps.clock.monotonicMs() - this.#durableSinceMs >= maxIndexDelayMs;
  }

  async #writeIndex(): Promise<void> {
    if (this.#durable.length === 0) return;
    const named = this.#durable;
    this.#durable = [];
    this.#durableBlobs = 0;
    const { index } = this.#deps;
    const packs = named.map(({ id, blobs }) => ({ id, blobs: index.describe(blobs), other: {} }));
    await this.#deps.writeIndex(encodeIndexFile({ packs, packsToDelete: [], other: {} }));
    for (const { blobs } of named) index.markIndexed(blobs);
  }
}
