import type { BlobType } from '../index.ts';
import { headerEntryBytes, maxHeaderEntries, packOverheadBytes } from '../pack.ts';
import { BlockBytes, type BlockPool } from './blocks.ts';
import type { ClaimedBlob } from '../index/shared-index.ts';
import { BlobRecords } from './blob-records.ts';

/** A pack that still takes blobs. */
export class OpenPack {
  readonly type: BlobType;
  readonly bytes: BlockBytes;
  readonly blobs = new BlobRecords();
  #overhead = packOverheadBytes([]);

  constructor(type: BlobType, pool: BlockPool) {
    this.type = type;
    this.bytes = new BlockBytes(pool);
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

  /** Takes over everything from another pack. */
  absorb(other: OpenPack): void {
    for (const part of other.bytes.parts()) this.bytes.append(part);
    for (const blob of other.blobs) this.#note(blob);
    other.bytes.release();
  }

  #note(blob: ClaimedBlob): void {
    this.blobs.add(blob);
    this.#overhead += headerEntryBytes(blob.compressed);
  }
}
