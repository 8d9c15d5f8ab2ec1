import type { BlobId, FileId } from '../bytes/ids.ts';

export type BlobType = 'data' | 'tree';

/** Where a blob stands in a pack. */
export interface BlobLocation {
  readonly id: BlobId;
  readonly type: BlobType;
  readonly pack: FileId;
  /** Of the sealed blob, from the pack's start, bytes. */
  readonly offset: number;
  /** Of the sealed blob, bytes. */
  readonly length: number;
  /** Of the plaintext, bytes. */
  readonly plainLength: number;
  readonly compressed: boolean;
}

/**
 * Every blob that the index files name, in shared memory (at most 64 bytes a blob), so that workers look blobs up
 * without a message. A blob stored more than once has several locations; `locate` gives one, `locations` all.
 */
export interface BlobIndex {
  readonly size: number;
  has(type: BlobType, id: BlobId): boolean;
  locate(type: BlobType, id: BlobId): BlobLocation | undefined;
  locations(type: BlobType, id: BlobId): readonly BlobLocation[];
  /** All, in no order. */
  all(): Iterable<BlobLocation>;
  /** Plaintext length; undefined when unknown. */
  plainLength(type: BlobType, id: BlobId): number | undefined;
}

export const emptyIndex: BlobIndex = {
  size: 0,
  has: () => false,
  locate: () => undefined,
  locations: () => [],
  all: () => [],
  plainLength: () => undefined,
};
