import type { FileId } from '../bytes/ids.ts';
import { fileIdFor } from '../crypto/id.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Storage } from '../storage/storage.ts';
import { keyOf, shortName } from './layout.ts';
import type { SealedKind } from './repository.ts';
import { maxStoredBytes } from './size-limits.ts';

/**
 * The stored bytes of a file whose name is their hash; 'damaged' when it isn't, twice in a row (once may be the way
 * that they took), or when it is larger than any of its kind.
 */
export async function readNamed(storage: Storage, kind: SealedKind | 'keys', id: FileId): Promise<Uint8Array> {
  for (let readings = 0; readings < 2; readings += 1) {
    const stored = await storage.get(keyOf(kind, id), { maxBytes: maxStoredBytes[kind] });
    if (fileIdFor(stored) === id) return stored;
  }
  throw new HoldfastError('damaged', `${shortName(kind, id)} holds other bytes than its name says`);
}
