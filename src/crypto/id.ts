import { hash as digest } from 'node:crypto';
import { parseBlobId, parseFileId, type BlobId, type FileId } from '../bytes/ids.ts';

/** SHA-256, 32 bytes. */
export function hash(bytes: Uint8Array): Uint8Array {
  return digest('sha256', bytes, 'buffer');
}

/** The ID of a blob with this plaintext. */
export function blobIdFor(plaintext: Uint8Array): BlobId {
  return parseBlobId(digest('sha256', plaintext));
}

/** The name of a file that holds these stored bytes. */
export function fileIdFor(stored: Uint8Array): FileId {
  return parseFileId(digest('sha256', stored));
}
