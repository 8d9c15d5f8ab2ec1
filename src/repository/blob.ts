import { decompress } from '../compression/zstd.ts';
import { blobIdFor } from '../crypto/id.ts';
import { open, type RepositoryKey } from '../crypto/seal.ts';
import { HoldfastError } from '../errors/error.ts';
import type { PackedBlob } from './pack.ts';

/**
 * The plaintext of a sealed blob, after every check there is: MAC, length, hash. Anything wrong is 'damaged'. No
 * more memory is taken than the plaintext length that the blob's location states.
 */
export function openBlob(key: RepositoryKey, blob: PackedBlob, sealed: Uint8Array): Uint8Array {
  const opened = open(key, sealed);
  const plaintext = blob.compressed ? decompress(opened, blob.plainLength) : opened;
  if (blobIdFor(plaintext) === blob.id) return plaintext;
  throw new HoldfastError('damaged', `the ${blob.type} blob ${blob.id.slice(0, 8)} holds other bytes than its ID says`);
}
