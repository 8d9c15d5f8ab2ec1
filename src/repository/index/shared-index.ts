import { parseBlobId, type BlobId, type FileId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { BlobIndex, BlobLocation, BlobType } from '../index.ts';
import type { PackedBlob } from '../pack.ts';
import type { EntryLocation } from './entries.ts';
import { PackNumbers } from './packs.ts';
import { BlobTable, createTableMemory, type TableMemory } from './table.ts';

/** A blob that a writer claimed and sealed. */
export interface ClaimedBlob extends Omit<PackedBlob, 'id' | 'offset'> {
  readonly slot: number;
}

const minChains = 2 ** 16;
const minChainsWriting = 2 ** 18;

/**
 * The index of an open repository. Index files fill it by `addPack`; one writer at a time claims what it is about to
 * store. What a writer stored counts as unknown to readers until an index file names it.
 */
export class SharedIndex implements BlobIndex {
  #table = new BlobTable(createTableMemory(minChains));
  readonly #packs = new PackNumbers();
  #size = 0;
  #writer: 'none' | 'attached' = 'none';

  /** Locations that index files name. */
  get size(): number {
    return this.#size;
  }

  get packCount(): number {
    return this.#packs.count;
  }

  /** Memory that it takes, shared or not. */
  get sizeBytes(): number {
    const { heads, entries, count } = this.#table.memory;
    return heads.byteLength + entries.byteLength + count.byteLength + this.#packs.sizeBytes;
  }

  /** Adds what an index file says of a pack; what is known already is left out. */
  addPack(pack: FileId, blobs: readonly PackedBlob[]): void {
    const number = this.#packs.number(pack);
    for (const blob of blobs) {
      if (this.#table.add(blob.id, placed(number, blob), 'indexed') < 0) continue;
      this.#size += 1;
      this.#rehash(this.#table.entries.slots / 2);
    }
  }

  has(type: BlobType, id: BlobId): boolean {
    return this.#table.findOne(type, id) >= 0;
  }

  locate(type: BlobType, id: BlobId): BlobLocation | undefined {
    const slot = this.#table.findOne(type, id);
    return slot < 0 ? undefined : this.#locationAt(slot);
  }

  locations(type: BlobType, id: BlobId): readonly BlobLocation[] {
    return this.#table.findAll(type, id).map((slot) => this.#locationAt(slot));
  }

  plainLength(type: BlobType, id: BlobId): number | undefined {
    const slot = this.#table.findOne(type, id);
    return slot < 0 ? undefined : this.#table.entries.location(slot).plainLength;
  }

  *all(): Generator<BlobLocation> {
    const { entries } = this.#table;
    for (let slot = 0; slot < entries.slots; slot += 1) {
      if (entries.state(slot) === 'indexed') yield this.#locationAt(slot);
    }
  }

  /** Where blobs that are placed stand, one by one. */
  *describe(blobs: Iterable<Pick<ClaimedBlob, 'slot'>>): Generator<BlobLocation> {
    for (const { slot } of blobs) yield this.#locationAt(slot);
  }

  idAt(slot: number): BlobId {
    return parseBlobId(this.#table.entries.id(slot));
  }

  /** Blobs that were claimed and are in no durable pack. */
  get claimed(): number {
    return this.#table.claimed;
  }

  /** For one writer and its workers, who claim by `new BlobTable(memory)`; the memory stays until `detach`. */
  attach(): TableMemory {
    if (this.#writer === 'attached') throw new HoldfastError('internal', 'a repository has one writer at a time');
    this.#rehash(minChainsWriting);
    this.#writer = 'attached';
    return this.#table.memory;
  }

  /** Forgets what was claimed or stored and is in no index file: such blobs must be stored anew. */
  detach(): void {
    this.#writer = 'none';
    this.#table.release();
  }

  /** The pack of these blobs, which stand in it in this order, is durable. */
  place(pack: FileId, blobs: Iterable<ClaimedBlob>): void {
    const number = this.#packs.number(pack);
    let offset = 0;
    for (const { slot, ...blob } of blobs) {
      this.#table.entries.place(slot, { ...blob, pack: number, offset }, 'unindexed');
      offset += blob.length;
    }
  }

  /** A durable index file names these blobs. */
  markIndexed(blobs: Iterable<Pick<ClaimedBlob, 'slot'>>): void {
    for (const { slot } of blobs) {
      this.#table.entries.markIndexed(slot);
      this.#size += 1;
    }
  }

  #locationAt(slot: number): BlobLocation {
    const { pack, ...location } = this.#table.entries.location(slot);
    return { id: this.idAt(slot), pack: this.#packs.id(pack), ...location };
  }

  /** Only while no worker uses the table. */
  #rehash(chains: number): void {
    if (this.#writer === 'attached' || chains <= this.#table.chains) return;
    this.#table = this.#table.rehashed(2 ** Math.ceil(Math.log2(chains)));
  }
}

function placed(pack: number, blob: PackedBlob): EntryLocation {
  const { type, offset, length, plainLength, compressed } = blob;
  return { type, pack, offset, length, plainLength, compressed };
}
