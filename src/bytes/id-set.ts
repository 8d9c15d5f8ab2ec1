import { randomInt } from 'node:crypto';
import { idBytes, type BlobId, type FileId } from './ids.ts';

const wordsPerId = 8;

/**
 * A set of IDs in about 64 bytes each, for millions of them. IDs are hashes, but who writes a tree may name any; the
 * seed keeps them from being chosen such that all want the same slot.
 */
export class IdSet {
  readonly #seed = randomInt(2 ** 32);
  #words = new Uint32Array(1024 * wordsPerId);
  /** 1 where a slot is taken: any words may be an ID. */
  #taken = new Uint8Array(1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(id: BlobId | FileId): boolean {
    return this.#taken[this.#slotOf(wordsOf(id))] === 1;
  }

  /** Whether it is new. */
  add(id: BlobId | FileId): boolean {
    const words = wordsOf(id);
    const slot = this.#slotOf(words);
    if (this.#taken[slot] === 1) return false;
    this.#put(slot, words);
    if (this.#size * 4 > this.#taken.length * 3) this.#grow();
    return true;
  }

  #put(slot: number, words: Uint32Array): void {
    this.#words.set(words, slot * wordsPerId);
    this.#taken[slot] = 1;
    this.#size += 1;
  }

  /** Where the ID stands, or would stand. */
  #slotOf(words: Uint32Array): number {
    const mask = this.#taken.length - 1;
    let slot = this.#hash(words) & mask;
    while (this.#taken[slot] === 1 && !this.#holds(slot, words)) slot = (slot + 1) & mask;
    return slot;
  }

  #hash(words: Uint32Array): number {
    let hash = this.#seed;
    for (let at = 0; at < wordsPerId; at += 1) {
      hash = Math.imul(hash ^ (words[at] ?? 0), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  #holds(slot: number, words: Uint32Array): boolean {
    const start = slot * wordsPerId;
    for (let at = 0; at < wordsPerId; at += 1) if (this.#words[start + at] !== words[at]) return false;
    return true;
  }

  #grow(): void {
    const [words, taken] = [this.#words, this.#taken];
    this.#words = new Uint32Array(words.length * 2);
    this.#taken = new Uint8Array(taken.length * 2);
    this.#size = 0;
    for (let slot = 0; slot < taken.length; slot += 1) {
      if (taken[slot] !== 1) continue;
      const id = words.subarray(slot * wordsPerId, (slot + 1) * wordsPerId);
      this.#put(this.#slotOf(id), id);
    }
  }
}

function wordsOf(id: BlobId | FileId): Uint32Array {
  const bytes = idBytes(id);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, wordsPerId);
}
