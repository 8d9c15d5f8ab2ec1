import type { BlobType } from '../index.ts';

/**
 * Entries of the blob table, in memory that all threads share and any of them may grow.
 *
 * An entry is 13 words of 32 bits: the ID (8), the next entry of its chain (slot + 1; 0 ends it), the place, and
 * offset, sealed length and plaintext length. The place is the entry's state and is read and written atomically; its
 * low bits say where the blob stands: 0 nowhere (free to be claimed), 1 claimed by a writer, n + 2 in pack n.
 */
const wordsPerEntry = 13;
const bytesPerEntry = wordsPerEntry * 4;
const nextWord = 8;
const placeWord = 9;
const offsetWord = 10;
const lengthWord = 11;
const plainLengthWord = 12;

const treeBit = 0x8000_0000;
const compressedBit = 0x4000_0000;
const unindexedBit = 0x2000_0000;
const packMask = 0x1fff_ffff;
const claimed = 1;
const firstPack = 2;

/** Virtual memory is reserved for so many; only what is used is ever real. */
const maxEntries = 2 ** 27;
const growthEntries = 4096;

/** What another thread needs to use the same entries. */
export interface EntryMemory {
  readonly entries: SharedArrayBuffer;
  /** One word: entries in use. */
  readonly count: SharedArrayBuffer;
}

export interface EntryLocation {
  readonly type: BlobType;
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
  readonly plainLength: number;
  readonly compressed: boolean;
}

/** An 'unindexed' place is in a pack that no index file names yet. */
export type Indexing = 'indexed' | 'unindexed';

/** What an entry is looked up by. */
export class EntryKey {
  readonly words = new Uint32Array(8);
  readonly #bytes = new Uint8Array(this.words.buffer);
  typeBit = 0;

  set(type: BlobType, id: Uint8Array | string): void {
    if (typeof id === 'string') this.#bytes.setFromHex(id);
    else this.#bytes.set(id);
    this.typeBit = type === 'tree' ? treeBit : 0;
  }

  /** Hashes are spread evenly: their first word is as good as any. */
  get hash(): number {
    return this.words[0] ?? 0;
  }
}

export function createEntryMemory(): EntryMemory {
  return {
    entries: new SharedArrayBuffer(0, { maxByteLength: maxEntries * bytesPerEntry }),
    count: new SharedArrayBuffer(4),
  };
}

export class Entries {
  readonly memory: EntryMemory;
  readonly #count: Uint32Array;
  #words: Uint32Array = new Uint32Array();
  #bytes: Uint8Array = new Uint8Array();

  constructor(memory: EntryMemory) {
    this.memory = memory;
    this.#count = new Uint32Array(memory.count);
  }

  /** Entries in use, free ones included. */
  get slots(): number {
    return Atomics.load(this.#count, 0);
  }

  /** A new entry of nobody's yet, claimed by the caller. */
  allocate(key: EntryKey): number {
    const slot = Atomics.add(this.#count, 0, 1);
    if (slot >= maxEntries) throw new RangeError(`the index holds ${maxEntries} blobs at most`);
    this.#grow((slot + 1) * bytesPerEntry);
    this.#wordsOf(slot).set(key.words, slot * wordsPerEntry);
    Atomics.store(this.#words, slot * wordsPerEntry + placeWord, (key.typeBit | claimed) >>> 0);
    return slot;
  }

  /** Claims an entry that is free; false when another thread was first. */
  claimFree(slot: number): boolean {
    const at = slot * wordsPerEntry + placeWord;
    const was = Atomics.load(this.#wordsOf(slot), at);
    if ((was & packMask) !== 0) return false;
    return Atomics.compareExchange(this.#words, at, was, (was | claimed) >>> 0) === was;
  }

  /** Nobody's again. */
  free(slot: number): void {
    Atomics.and(this.#wordsOf(slot), slot * wordsPerEntry + placeWord, treeBit);
  }

  place(slot: number, location: EntryLocation, indexing: Indexing): void {
    const words = this.#wordsOf(slot);
    const base = slot * wordsPerEntry;
    words[base + offsetWord] = location.offset;
    words[base + lengthWord] = location.length;
    words[base + plainLengthWord] = location.plainLength;
    const flags = (location.type === 'tree' ? treeBit : 0) | (location.compressed ? compressedBit : 0);
    const unindexed = indexing === 'unindexed' ? unindexedBit : 0;
    Atomics.store(words, base + placeWord, (flags | unindexed | (location.pack + firstPack)) >>> 0);
  }

  markIndexed(slot: number): void {
    Atomics.and(this.#wordsOf(slot), slot * wordsPerEntry + placeWord, ~unindexedBit >>> 0);
  }

  state(slot: number): 'free' | 'claimed' | Indexing {
    const place = Atomics.load(this.#wordsOf(slot), slot * wordsPerEntry + placeWord);
    if ((place & packMask) === 0) return 'free';
    if ((place & packMask) === claimed) return 'claimed';
    return (place & unindexedBit) === 0 ? 'indexed' : 'unindexed';
  }

  /** Of an entry that stands in a pack. */
  location(slot: number): EntryLocation {
    const words = this.#wordsOf(slot);
    const base = slot * wordsPerEntry;
    const place = Atomics.load(words, base + placeWord);
    return {
      type: (place & treeBit) === 0 ? 'data' : 'tree',
      pack: (place & packMask) - firstPack,
      offset: words[base + offsetWord] ?? 0,
      length: words[base + lengthWord] ?? 0,
      plainLength: words[base + plainLengthWord] ?? 0,
      compressed: (place & compressedBit) !== 0,
    };
  }

  /** Whether an entry that stands in a pack stands at this place. */
  stands(slot: number, { pack, offset }: EntryLocation): boolean {
    const words = this.#wordsOf(slot);
    const base = slot * wordsPerEntry;
    const place = Atomics.load(words, base + placeWord);
    return (place & packMask) === pack + firstPack && words[base + offsetWord] === offset;
  }

  /** 64 hex digits. */
  id(slot: number): string {
    this.#wordsOf(slot);
    return this.#bytes.subarray(slot * bytesPerEntry, slot * bytesPerEntry + 32).toHex();
  }

  hash(slot: number): number {
    return this.#wordsOf(slot)[slot * wordsPerEntry] ?? 0;
  }

  next(slot: number): number {
    return this.#wordsOf(slot)[slot * wordsPerEntry + nextWord] ?? 0;
  }

  /** Only before the entry is linked. */
  setNext(slot: number, link: number): void {
    this.#wordsOf(slot)[slot * wordsPerEntry + nextWord] = link;
  }

  matches(slot: number, key: EntryKey): boolean {
    const words = this.#wordsOf(slot);
    const base = slot * wordsPerEntry;
    for (let word = 0; word < 8; word += 1) if (words[base + word] !== key.words[word]) return false;
    return ((words[base + placeWord] ?? 0) & treeBit) === (key.typeBit | 0);
  }

  /** Where two threads grow at once, the larger length stays. */
  #grow(neededBytes: number): void {
    const { entries } = this.memory;
    if (entries.byteLength >= neededBytes) return;
    const step = growthEntries * bytesPerEntry;
    try {
      entries.grow(Math.min(entries.maxByteLength, Math.ceil(neededBytes / step) * step));
    } catch (error) {
      if (entries.byteLength < neededBytes) throw error;
    }
  }

  /** Views of a fixed length are faster than those that follow a growing buffer. */
  #wordsOf(slot: number): Uint32Array {
    if ((slot + 1) * wordsPerEntry > this.#words.length) {
      const { entries } = this.memory;
      const length = entries.byteLength;
      this.#words = new Uint32Array(entries, 0, length / 4);
      this.#bytes = new Uint8Array(entries, 0, length);
    }
    return this.#words;
  }
}
