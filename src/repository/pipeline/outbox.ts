import type { ClaimedBlob } from '../index/shared-index.ts';
import { BlobRecords } from './blob-records.ts';
import { Crates, type Crate } from './crates.ts';
import type { SealedPart } from './protocol.ts';

/** Little of a crate's memory is ever touched that large blobs don't need. */
const enoughBytes = 2 ** 20;

/** In a worker: where sealed blobs are collected and handed over, in shared memory that is used again and again. */
export class Outbox {
  readonly #send: (part: SealedPart) => void;
  readonly #crates = new Crates();
  #crate: Crate | undefined;
  #blobs = new BlobRecords();
  #used = 0;

  constructor(send: (part: SealedPart) => void) {
    this.#send = send;
  }

  /** Room for `length` bytes, valid until `commit`. */
  reserve(length: number): Uint8Array {
    if (this.#crate && this.#crate.bytes.byteLength - this.#used < length) this.flush();
    this.#crate ??= this.#crates.take(length);
    return new Uint8Array(this.#crate.bytes, this.#used, length);
  }

  /** The bytes reserved last are this blob. */
  commit(blob: ClaimedBlob): void {
    this.#blobs.add(blob);
    this.#used += blob.length;
    if (this.#used >= enoughBytes) this.flush();
  }

  /** Hands over what is there. */
  flush(): void {
    if (!this.#crate || this.#blobs.count === 0) return;
    this.#send({ kind: 'sealed', ...this.#crate, records: this.#blobs.words.slice() });
    this.#crate = undefined;
    this.#blobs = new BlobRecords();
    this.#used = 0;
  }
}
