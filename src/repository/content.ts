import type { BlobId, RawPath } from '../bytes/ids.ts';

/** What the pipeline turns into blobs: it says where bytes are, as data wherever possible, so that a worker opens them. */
export type Content =
  /** Directories, links, devices. */
  | { readonly kind: 'none' }
  /** A regular file that a worker opens by itself (never following a link at its last name). */
  | { readonly kind: 'file'; readonly path: RawPath; readonly sizeBytes: number; readonly cut: Cut }
  /** Bytes that only the main thread can read, in order; `finish` tells whether the producer succeeded. */
  | { readonly kind: 'stream'; readonly stream: AsyncIterable<Uint8Array>; readonly cut: Cut }
  /** Stored already: the parent snapshot's chunks of an unchanged file. */
  | { readonly kind: 'blobs'; readonly ids: readonly BlobId[] };

/** How contents are cut into blobs: by content, or at multiples of a fixed size. */
export type Cut = 'rabin' | { readonly pagesBytes: number };

/** How a repository wants files cut, so that equal data gets equal blobs, whichever client writes. */
export type Chunking =
  | { readonly kind: 'rabin'; readonly minBytes: number; readonly averageBytes: number; readonly maxBytes: number }
  | { readonly kind: 'fixed'; readonly sizeBytes: number };
