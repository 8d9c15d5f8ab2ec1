import type { ClaimedBlob } from '../index/shared-index.ts';

const wordsPerRecord = 4;
const treeFlag = 1;
const compressedFlag = 2;

/** A growing list of sealed blobs as plain words: tens of thousands of objects would keep the collector busy. */
export class BlobRecords {
  #words: Uint32Array;
  #count = 0;

  /** Over the words of another list. */
  constructor(words: Uint32Array = new Uint32Array(32 * wordsPerRecord), count = 0) {
    this.#words = words;
    this.#count = count;
  }

  get count(): number {
    return this.#count;
  }

  /** The words in use, for another thread. */
  get words(): Uint32Array {
    return this.#words.subarray(0, this.#count * wordsPerRecord);
  }

  static over(words: Uint32Array): BlobRecords {
    return new BlobRecords(words, words.length / wordsPerRecord);
  }

  add(blob: ClaimedBlob): void {
    const at = this.#count * wordsPerRecord;
    if (at === this.#words.length) this.#grow();
    this.#words[at] = blob.slot;
    this.#words[at + 1] = blob.length;
    this.#words[at + 2] = blob.plainLength;
    this.#words[at + 3] = (blob.type === 'tree' ? treeFlag : 0) | (blob.compressed ? compressedFlag : 0);
    this.#count += 1;
  }

  slot(number: number): number {
    return this.#words[number * wordsPerRecord] ?? 0;
  }

  get(number: number): ClaimedBlob {
    const at = number * wordsPerRecord;
    const flags = this.#words[at + 3] ?? 0;
    return {
      slot: this.#words[at] ?? 0,
      type: (flags & treeFlag) === 0 ? 'data' : 'tree',
      length: this.#words[at + 1] ?? 0,
      plainLength: this.#words[at + 2] ?? 0,
      compressed: (flags & compressedFlag) !== 0,
    };
  }

  *[Symbol.iterator](): Generator<ClaimedBlob> {
    for (let number = 0; number < this.#count; number += 1) yield this.get(number);
  }

  #grow(): void {
    const grown = new Uint32Array(Math.max(4, this.#count * 2) * wordsPerRecord);
    grown.set(this.#words);
    this.#words = grown;
  }
}
