import type { BlobId, FileId } from '../../bytes/ids.ts';
import type { BlobIndex, BlobLocation, BlobType } from '../index.ts';

export interface BlobHandle {
  readonly type: BlobType;
  readonly id: BlobId;
}

/** Which parts of which packs were found unreadable. */
export class Damage {
  readonly #packs = new Set<FileId>();
  readonly #offsets = new Map<FileId, Set<number>>();

  addPack(pack: FileId): void {
    this.#packs.add(pack);
  }

  addBlob(pack: FileId, offset: number): void {
    const offsets = this.#offsets.get(pack) ?? new Set();
    this.#offsets.set(pack, offsets.add(offset));
  }

  /** The pack can't be used as a whole, or holds a blob that can't. */
  touches(pack: FileId): boolean {
    return this.#packs.has(pack) || this.#offsets.has(pack);
  }

  #hits({ pack, offset }: BlobLocation): boolean {
    return this.#packs.has(pack) || this.#offsets.get(pack)?.has(offset) === true;
  }

  /** 'broken' when every place where the blob should be was found damaged; 'missing' when no index names one. */
  stateOf(index: BlobIndex, type: BlobType, id: BlobId): 'intact' | 'broken' | 'missing' {
    const locations = index.locations(type, id);
    if (locations.length === 0) return 'missing';
    return locations.every((location) => this.#hits(location)) ? 'broken' : 'intact';
  }

  /** Every blob that the index names and that can't be had from any of its places; one of several places twice. */
  *brokenBlobs(index: BlobIndex): Generator<BlobHandle> {
    if (this.#packs.size === 0 && this.#offsets.size === 0) return;
    for (const location of index.all()) {
      const { type, id } = location;
      if (this.#hits(location) && this.stateOf(index, type, id) === 'broken') yield { type, id };
    }
  }
}
