import type { ClaimedBlob } from '../index/shared-index.ts';
import { BlobRecords } from './blob-records.ts';
import type { SealedPart } from './protocol.ts';

const partBytes = 2 ** 20;

/** In a worker: where a request's sealed blobs are collected, to be handed over without a copy. */
export class Outbox {
  readonly #output: 'send' | 'discard';
  #parts: { readonly bytes: ArrayBuffer; readonly blobs: BlobRecords }[] = [];
  #used = 0;
  #expectedBytes = partBytes;

  constructor(output: 'send' | 'discard') {
    this.#output = output;
  }

  /** How much the next parts will take, as far as one can tell. */
  expect(bytes: number): void {
    this.#expectedBytes = Math.max(bytes, 4096);
  }

  /** Room for `length` bytes, valid until `commit`. */
  reserve(length: number): Uint8Array {
    let part = this.#parts.at(-1);
    if (!part || part.bytes.byteLength - this.#used < length) {
      part = { bytes: new ArrayBuffer(Math.max(length, this.#expectedBytes)), blobs: new BlobRecords() };
      this.#parts.push(part);
      this.#used = 0;
    }
    return new Uint8Array(part.bytes, this.#used, length);
  }

  /** The bytes reserved last are this blob. */
  commit(blob: ClaimedBlob): void {
    if (this.#output === 'discard') return;
    this.#parts.at(-1)?.blobs.add(blob);
    this.#used += blob.length;
  }

  take(): readonly SealedPart[] {
    const sent = this.#output === 'send' ? this.#parts : [];
    const parts = sent.map(({ bytes, blobs }) => ({ bytes, records: blobs.words.slice() }));
    this.#parts = [];
    this.#used = 0;
    this.#expectedBytes = partBytes;
    return parts;
  }
}
