import type { BlobType } from '../index.ts';
import type { WriterTotals } from '../repository.ts';
import type { StoredBytes } from './protocol.ts';

/** What a writer has stored so far. */
export class Totals implements WriterTotals {
  dataBlobs = 0;
  treeBlobs = 0;
  dataBytes = 0;
  treeBytes = 0;
  dataStoredBytes = 0;
  treeStoredBytes = 0;

  add(type: BlobType, stored: StoredBytes): void {
    this[`${type}Blobs`] += stored.newBlobs;
    this[`${type}Bytes`] += stored.newBytes;
    this[`${type}StoredBytes`] += stored.storedBytes;
  }
}
