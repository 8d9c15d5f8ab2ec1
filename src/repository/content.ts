import type { BlobId, RawPath } from '../bytes/ids.ts';

/** What the pipeline turns into blobs: it says where bytes are, as data wherever possible, so that a worker opens them. */
export type Content =
  /** Directories, links, devices. */
  | { readonly kind: 'none' }
  /** A regular file that a worker opens by itself (never following a link at its last name). */
  | { readonly kind: 'file'; readonly path: RawPath; readonly sizeBytes: number; readonly cut: Cut }
  /**
   * The first bytes of a file that is written to meanwhile: as many as `sizeBytes` says, with zeros for what it has lost
   * at its end. A worker opens it, and what it saw is told as `read`.
   */
  | {
      readonly kind: 'live-file';
      readonly path: RawPath;
      readonly sizeBytes: number;
      readonly cut: Cut;
      readonly pages?: PageChecks | undefined;
    }
  /** Bytes that only the main thread can read, in order; `finish` tells whether the producer succeeded. */
  | {
      readonly kind: 'stream';
      readonly stream: AsyncIterable<Uint8Array>;
      readonly cut: Cut;
      /** 'crc32c': the checksum of all of it is told as `read`. */
      readonly look?: 'crc32c' | undefined;
    }
  /** Bytes that are here already, so few that every cut leaves them whole: at most 512 KiB. None make no blob. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Stored already: the parent snapshot's chunks of an unchanged file. */
  | { readonly kind: 'blobs'; readonly ids: readonly BlobId[] }
  /** Stored by this writer before: what it said then. */
  | { readonly kind: 'stored'; readonly stored: StoredContent };

/** What became of a content. */
export interface StoredContent {
  readonly ids: readonly BlobId[];
  /** Bytes read; differs from the size expected when the file changed meanwhile. */
  readonly sizeBytes: number;
  readonly newBlobs: number;
  /** Plaintext and stored bytes of the new blobs. */
  readonly newBytes: number;
  readonly storedBytes: number;
  /** Of a 'live-file', and of a 'stream' that is looked at. */
  readonly read?: BytesRead | undefined;
}

/** The file consists of pages of PostgreSQL's, each with a checksum; the cut is at multiples of them. */
export interface PageChecks {
  readonly pageBytes: number;
  /** Of the file's first page, within its relation. */
  readonly firstBlock: number;
  /** A page that was written at or after this position of the log is nobody's concern: the log brings it anew. */
  readonly before: bigint;
}

/** What was seen of bytes as they were stored. */
export interface BytesRead {
  readonly crc32c: number;
  /** Numbers of pages whose checksum is wrong, and that read the same a second time. */
  readonly wrongBlocks: readonly number[];
}

/** How contents are cut into blobs: by content, or at multiples of a fixed size. */
export type Cut = 'rabin' | { readonly pagesBytes: number };

/** How a repository wants files cut, so that equal data gets equal blobs, whichever client writes. */
export type Chunking =
  | { readonly kind: 'rabin'; readonly minBytes: number; readonly averageBytes: number; readonly maxBytes: number }
  | { readonly kind: 'fixed'; readonly sizeBytes: number };
