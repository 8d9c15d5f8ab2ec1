import { hash } from 'node:crypto';
import { parseBlobId, parseFileId, type BlobId, type FileId } from '../bytes/ids.ts';

/** The ID of a blob with this plaintext. */
export function blobIdFor(plaintext: Uint8Array): BlobId {
  return parseBlobId(hash('sha256', plaintext));
}

/** The name of a file that holds these stored bytes. */
export function fileIdFor(stored: Uint8Array): FileId {
  return parseFileId(hash('sha256', stored));
}
