import { decompress } from '../compression/zstd.ts';
import { blobIdFor } from '../crypto/id.ts';
import { open, type RepositoryKey } from '../crypto/seal.ts';
import { HoldfastError } from '../errors/error.ts';
import type { PackedBlob } from './pack.ts';

/** No client makes larger ones: the largest chunk is bounded, and a folder of millions of files takes less. */
const maxPlainBytes = 1024 * 1024 * 1024;

/**
 * The plaintext of a sealed blob, after every check there is: MAC, length, hash. Anything wrong is 'damaged'. No
 * more memory is taken than the plaintext length that the blob's location states.
 */
export function openBlob(key: RepositoryKey, blob: PackedBlob, sealed: Uint8Array): Uint8Array {
  if (blob.plainLength > maxPlainBytes) throw damaged(blob, 'claims to hold more than 1 GiB');
  const opened = open(key, sealed);
  const plaintext = blob.compressed ? decompress(opened, blob.plainLength) : opened;
  if (blobIdFor(plaintext) === blob.id) return plaintext;
  throw damaged(blob, 'holds other bytes than its ID says');
}

function damaged({ type, id }: PackedBlob, problem: string): HoldfastError {
  return new HoldfastError('damaged', `the ${type} blob ${id.slice(0, 8)} ${problem}`);
}
