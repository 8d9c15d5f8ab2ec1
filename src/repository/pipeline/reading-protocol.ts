import type { RepositoryKey } from '../../crypto/seal.ts';
import type { ErrorCode } from '../../errors/codes.ts';
import type { PackedBlob } from '../pack.ts';
import type { Placement, ReaderOptions } from '../repository.ts';
import type { NewFileColumns } from './new-file-columns.ts';

/** What the main thread asks of a worker that reads. */
export type ReadingRequest =
  /** The first one; it has no reply. */
  SetUp | ReadingWork;

export interface SetUp extends Pick<ReaderOptions, 'writeBack'> {
  readonly kind: 'set-up';
  readonly key: RepositoryKey;
}

export type ReadingWork =
  | { readonly kind: 'place'; readonly pack: PackBytes; readonly blobs: readonly BlobToPlace[] }
  | { readonly kind: 'make'; readonly pack: PackBytes; readonly files: NewFileColumns }
  | { readonly kind: 'read'; readonly pack: PackBytes; readonly blob: PackedBlob };

/** Where the sealed blobs of a request are: in a file, or handed over as slices, one for each group of neighbours. */
export type PackBytes =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'slices'; readonly slices: readonly Slice[] };

/** Part of a pack. */
export interface Slice {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where in the pack its first byte stands. */
  readonly offset: number;
}

export interface BlobToPlace extends Pick<Placement, 'targets' | 'holes'> {
  readonly blob: PackedBlob;
}

export type ReadingReply =
  | { readonly kind: 'placed'; readonly failures: readonly BlobFailure[] }
  | { readonly kind: 'made'; readonly failures: readonly BlobFailure[]; readonly lost: readonly string[] }
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  | { readonly kind: 'failed'; readonly failure: BlobTrouble };

/** 'read': the blob isn't there or is damaged, another copy may do. 'write': its target doesn't take it. */
export interface BlobTrouble {
  readonly during: 'read' | 'write';
  readonly code: ErrorCode;
  readonly message: string;
}

export interface BlobFailure extends BlobTrouble {
  /** Place in the request. */
  readonly number: number;
}
