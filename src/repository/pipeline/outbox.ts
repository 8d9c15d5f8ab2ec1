import type { SealedBlob, SealedPart } from './protocol.ts';

const partBytes = 2 ** 20;

/** In a worker: where a request's sealed blobs are collected, to be handed over without a copy. */
export class Outbox {
  readonly #output: 'send' | 'discard';
  #parts: { readonly bytes: ArrayBuffer; readonly blobs: SealedBlob[] }[] = [];
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
      part = { bytes: new ArrayBuffer(Math.max(length, this.#expectedBytes)), blobs: [] };
      this.#parts.push(part);
      this.#used = 0;
    }
    return new Uint8Array(part.bytes, this.#used, length);
  }

  /** The bytes reserved last are this blob. */
  commit(blob: SealedBlob): void {
    if (this.#output === 'discard') return;
    this.#parts.at(-1)?.blobs.push(blob);
    this.#used += blob.length;
  }

  take(): readonly SealedPart[] {
    const parts = this.#output === 'send' ? this.#parts : [];
    this.#parts = [];
    this.#used = 0;
    this.#expectedBytes = partBytes;
    return parts;
  }
}
