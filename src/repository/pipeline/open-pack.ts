import type { BlobType } from '../index.ts';
import { headerEntryBytes, maxHeaderEntries, packOverheadBytes } from '../pack.ts';
import type { ClaimedBlob } from '../index/shared-index.ts';
import { BlobRecords } from './blob-records.ts';
import { PackBytes, type PackMemory } from './pack-bytes.ts';

/** A pack that still takes blobs. */
export class OpenPack {
  readonly type: BlobType;
  readonly bytes: PackBytes;
  readonly blobs = new BlobRecords();
  #overhead = packOverheadBytes([]);

  constructor(type: BlobType, memory: PackMemory) {
    this.type = type;
    this.bytes = new PackBytes(memory, type);
  }

  /** With its header. */
  get sizeBytes(): number {
    return this.bytes.length + this.#overhead;
  }

  add(blob: ClaimedBlob, sealed: Uint8Array): void {
    this.bytes.append(sealed);
    this.#note(blob);
  }

  isFull(targetBytes: number): boolean {
    return this.sizeBytes >= targetBytes || this.blobs.count >= maxHeaderEntries;
  }

  /** Takes over everything from another pack, which is in memory. */
  absorb(other: OpenPack): void {
    this.bytes.absorb(other.bytes);
    for (const blob of other.blobs) this.#note(blob);
  }

  #note(blob: ClaimedBlob): void {
    this.blobs.add(blob);
    this.#overhead += headerEntryBytes(blob.compressed);
  }
}
