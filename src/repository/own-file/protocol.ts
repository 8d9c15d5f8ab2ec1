import type { Fields } from '../../bytes/fields.ts';
import type { RepositoryKey } from '../../crypto/seal.ts';
import type { ErrorCode } from '../../errors/codes.ts';

/** What is asked of a thread that writes own bytes to files. */
export type FileRequest =
  /** The first one; it has no reply. */
  { readonly kind: 'set-up' } | WriteRequest;

export interface WriteRequest {
  readonly kind: 'write';
  readonly key: RepositoryKey;
  /** The object's. */
  readonly name: string;
  /** As it is sealed. */
  readonly stored: Uint8Array;
  /** Made, or overwritten. */
  readonly path: string;
}

/** What was written. */
export interface OwnFile {
  /** What the object says of itself. */
  readonly about: Fields;
  /** Of what stands in the file, hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Its first bytes, some hundred. */
  readonly beginning: Uint8Array;
}

export type FileReply =
  | { readonly kind: 'written'; readonly file: OwnFile }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };
