import { createHash } from 'node:crypto';
import { release } from '../bytes/release.ts';
import { decompress, decompressPieces, decompressTransient } from '../compression/zstd.ts';
import { blobIdFor } from '../crypto/id.ts';
import { open, openTransient, type RepositoryKey } from '../crypto/seal.ts';
import { HoldfastError } from '../errors/error.ts';
import type { PackedBlob } from './pack.ts';

/** No client makes larger ones: the largest chunk is bounded, and a folder of millions of files takes less. */
const maxPlainBytes = 1024 * 1024 * 1024;

/**
 * The plaintext of a sealed blob, after every check there is: MAC, length, hash. Anything wrong is 'damaged'. No
 * more memory is taken than the plaintext length that the blob's location states.
 */
export function openBlob(key: RepositoryKey, blob: PackedBlob, sealed: Uint8Array): Uint8Array {
  assertPlausible(blob);
  const opened = open(key, sealed);
  if (!blob.compressed) return checked(blob, opened);
  const plaintext = decompress(opened, blob.plainLength);
  release(opened);
  return checked(blob, plaintext);
}

/** As `openBlob`, for `use` at once: where the plaintext stands is used again afterwards. */
export function useBlob<Result>(
  key: RepositoryKey,
  blob: PackedBlob,
  sealed: Uint8Array,
  use: (plaintext: Uint8Array) => Result,
): Result {
  assertPlausible(blob);
  const opened = openTransient(key, sealed);
  return use(checked(blob, blob.compressed ? decompressTransient(opened, blob.plainLength) : opened));
}

/** All checks of `openBlob`, in little memory. */
export function verifyBlob(key: RepositoryKey, blob: PackedBlob, sealed: Uint8Array): void {
  verifyOpened(blob, openTransient(key, sealed));
}

/** Whether these bytes, which a seal held, are the blob: compressed or not, as it is stored. */
export function verifyOpened(blob: PackedBlob, opened: Uint8Array): void {
  assertPlausible(blob);
  if (!blob.compressed || blob.plainLength <= smallBytes) {
    checked(blob, blob.compressed ? decompressTransient(opened, blob.plainLength) : opened);
    return;
  }
  const hash = createHash('sha256');
  decompressPieces(opened, blob.plainLength, (piece) => hash.update(piece));
  if (hash.digest('hex') !== blob.id) throw otherBytes(blob);
}

/** Hashed at once: setting up a hash costs more than this. */
const smallBytes = 64 * 1024;

function assertPlausible(blob: PackedBlob): void {
  if (blob.plainLength > maxPlainBytes) throw damaged(blob, 'claims to hold more than 1 GiB');
}

function checked(blob: PackedBlob, plaintext: Uint8Array): Uint8Array {
  if (blobIdFor(plaintext) === blob.id) return plaintext;
  throw otherBytes(blob);
}

function otherBytes(blob: PackedBlob): HoldfastError {
  return damaged(blob, 'holds other bytes than its ID says');
}

function damaged({ type, id }: PackedBlob, problem: string): HoldfastError {
  return new HoldfastError('damaged', `the ${type} blob ${id.slice(0, 8)} ${problem}`);
}
