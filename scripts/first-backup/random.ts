import { createCipheriv } from 'node:crypto';

/** Seeded (xorshift128): the same tree on every machine. */
export class Random {
  #a: number;
  #b = 0x9e3779b9;
  #c = 0x243f6a88;
  #d = 0xb7e15162;

  constructor(seed: number) {
    this.#a = seed;
    for (let round = 0; round < 16; round += 1) this.next();
  }

  /** 32 random bits. */
  next(): number {
    const mixed = this.#a ^ (this.#a << 11);
    const value = (this.#d ^ (this.#d >>> 19) ^ (mixed ^ (mixed >>> 8))) >>> 0;
    [this.#a, this.#b, this.#c, this.#d] = [this.#b, this.#c, this.#d, value];
    return value;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.below(from.length)] ?? from[0];
  }

  /** Incompressible. */
  bytes(length: number): Buffer {
    const key = Buffer.alloc(16);
    for (let at = 0; at < 16; at += 4) key.writeUInt32LE(this.next(), at);
    return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
  }

  /** Lines of words. */
  prose(length: number): Buffer {
    const parts: string[] = [];
    for (let size = 0; size < length;) {
      const word = `${this.pick(words)}${this.below(12) === 0 ? '.\n' : ' '}`;
      parts.push(word);
      size += word.length;
    }
    return Buffer.from(parts.join('').slice(0, length));
  }
}

const words = [
  'the',
  'backup',
  'of',
  'a',
  'letter',
  'to',
  'ann',
  'about',
  'winter',
  'invoice',
  'from',
  'harbour',
  'with',
  'seven',
  'lights',
  'return',
  'index',
  'const',
  'order',
  'paid',
  'on',
  'monday',
  'before',
  'noon',
  'and',
  'kept',
  'in',
  'order',
] as const;
