import type { BlobType } from '../index.ts';
import {
  createEntryMemory,
  Entries,
  EntryKey,
  type EntryLocation,
  type EntryMemory,
  type Indexing,
} from './entries.ts';

/**
 * A hash table of blobs that every thread uses at once without locks. It only grows: an entry is filled, then linked
 * at the head of its chain by one compare-and-exchange, and never unlinked.
 */
export interface TableMemory extends EntryMemory {
  /** First entry of each chain, as slot + 1; a power of two of them. */
  readonly heads: SharedArrayBuffer;
}

export function createTableMemory(chains: number): TableMemory {
  return { ...createEntryMemory(), heads: new SharedArrayBuffer(chains * 4) };
}

export class BlobTable {
  readonly memory: TableMemory;
  readonly entries: Entries;
  readonly #heads: Uint32Array;
  readonly #key = new EntryKey();

  constructor(memory: TableMemory) {
    this.memory = memory;
    this.entries = new Entries(memory);
    this.#heads = new Uint32Array(memory.heads);
  }

  get chains(): number {
    return this.#heads.length;
  }

  /** Claims a blob for the caller, who must store it: its slot, or -1 when it is stored or claimed already. */
  claim(type: BlobType, id: Uint8Array | string): number {
    this.#key.set(type, id);
    const chain = this.#chain();
    const first = Atomics.load(this.#heads, chain);
    return this.#claimIn(first, 0) ?? this.#insert(chain, first);
  }

  /** Adds a location, whether or not the blob has others, unless it is there; its slot, or -1. */
  add(id: Uint8Array | string, location: EntryLocation, indexing: Indexing): number {
    this.#key.set(location.type, id);
    for (let link = this.#first(); link !== 0; link = this.entries.next(link - 1)) {
      if (this.#isIndexed(link - 1) && this.entries.stands(link - 1, location)) return -1;
    }
    const slot = this.#linkNew();
    this.entries.place(slot, location, indexing);
    return slot;
  }

  /** Claims a further copy of a blob, known or not: its slot. */
  claimCopy(type: BlobType, id: Uint8Array | string): number {
    this.#key.set(type, id);
    return this.#linkNew();
  }

  /** Slot of one indexed location, or -1. */
  findOne(type: BlobType, id: Uint8Array | string): number {
    this.#key.set(type, id);
    for (let link = this.#first(); link !== 0; link = this.entries.next(link - 1)) {
      if (this.#isIndexed(link - 1)) return link - 1;
    }
    return -1;
  }

  /** Slots of all indexed locations. */
  findAll(type: BlobType, id: Uint8Array | string): readonly number[] {
    this.#key.set(type, id);
    const found = [];
    for (let link = this.#first(); link !== 0; link = this.entries.next(link - 1)) {
      if (this.#isIndexed(link - 1)) found.push(link - 1);
    }
    return found;
  }

  /** Makes every entry that is claimed or in no index file free again; how many there were. */
  release(): number {
    let released = 0;
    for (let slot = 0; slot < this.entries.slots; slot += 1) {
      const state = this.entries.state(slot);
      if (state !== 'claimed' && state !== 'unindexed') continue;
      this.entries.free(slot);
      released += 1;
    }
    return released;
  }

  /** The same entries in more chains; no thread may use this table any more. */
  rehashed(chains: number): BlobTable {
    const grown = new BlobTable({ ...this.memory, heads: new SharedArrayBuffer(chains * 4) });
    for (let slot = 0; slot < this.entries.slots; slot += 1) {
      const chain = this.entries.hash(slot) & (chains - 1);
      this.entries.setNext(slot, grown.#heads[chain] ?? 0);
      grown.#heads[chain] = slot + 1;
    }
    return grown;
  }

  get claimed(): number {
    let count = 0;
    for (let slot = 0; slot < this.entries.slots; slot += 1) {
      if (this.entries.state(slot) === 'claimed') count += 1;
    }
    return count;
  }

  #isIndexed(slot: number): boolean {
    return this.entries.matches(slot, this.#key) && this.entries.state(slot) === 'indexed';
  }

  #chain(): number {
    return this.#key.hash & (this.#heads.length - 1);
  }

  #first(): number {
    return Atomics.load(this.#heads, this.#chain());
  }

  /** Looks from `link` until `end`: -1 known, a slot that was free and is ours now, undefined when not there. */
  #claimIn(link: number, end: number): number | undefined {
    let reusable = -1;
    for (let at = link; at !== end && at !== 0; at = this.entries.next(at - 1)) {
      if (!this.entries.matches(at - 1, this.#key)) continue;
      if (this.entries.state(at - 1) !== 'free') return -1;
      reusable = at - 1;
    }
    if (reusable < 0) return undefined;
    return this.entries.claimFree(reusable) ? reusable : -1;
  }

  /** Links a new entry, unless another thread links the same blob first. */
  #insert(chain: number, expected: number): number {
    const slot = this.entries.allocate(this.#key);
    for (let first = expected; ;) {
      const seen = this.#link(chain, first, slot);
      if (seen === first) return slot;
      const found = this.#claimIn(seen, first);
      if (found !== undefined) {
        this.entries.free(slot);
        return found;
      }
      first = seen;
    }
  }

  #linkNew(): number {
    const slot = this.entries.allocate(this.#key);
    const chain = this.#chain();
    for (let first = Atomics.load(this.#heads, chain); ;) {
      const seen = this.#link(chain, first, slot);
      if (seen === first) return slot;
      first = seen;
    }
  }

  /** What stood at the head: `first` when it worked. */
  #link(chain: number, first: number, slot: number): number {
    this.entries.setNext(slot, first);
    return Atomics.compareExchange(this.#heads, chain, first, slot + 1);
  }
}
