import { open, seal } from '../crypto/seal.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import { confirmStored } from './confirm.ts';
import type { ObjectInfo, WaitOptions } from '../storage/storage.ts';
import type { Repository } from './repository.ts';
import { assertChangeable, sessionOf } from './session.ts';
import { decodeUnpacked, encodeUnpacked } from './unpacked.ts';

/** Below it stands all that only Holdfast knows. */
export const ownFolder = 'holdfast/';

/** Below it stand the journals of prunes beside others. */
export const pruneJournalFolder = 'holdfast/prune/';

/** In the order of their names; none where the storage can't hold any. */
export async function listOwnObjects(
  { storage }: Repository,
  folder: string,
  options: WaitOptions = {},
): Promise<readonly ObjectInfo[]> {
  if (!storage.capabilities.ownPrefixes) return [];
  const listed = await Array.fromAsync(storage.list(folder, options));
  return listed.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * Objects that only Holdfast knows, below `holdfast/`: JSON, compressed and sealed as an index file is. They are
 * written once, under names that say nothing of their bytes; so the plaintext carries the object's full name, and who
 * reads one compares it.
 */
export async function writeOwnObject(repository: Repository, name: string, json: Uint8Array): Promise<void> {
  const { storage, key, config } = sessionOf(repository);
  assertChangeable(config);
  const stored = seal(key, encodeUnpacked(config.version, 'index', json));
  await storage.put(name, [stored], { ifAbsent: true });
  await confirmStored(storage, { key: name, sizeBytes: stored.length });
}

/** The plaintext; 'damaged' when it isn't what was sealed, or was sealed with another repository's key. */
export async function readOwnObject(repository: Repository, name: string): Promise<Uint8Array> {
  const { storage, key, config } = sessionOf(repository);
  const stored = await storage.get(name);
  try {
    return decodeUnpacked(config.version, 'index', open(key, stored), name);
  } catch (cause) {
    if (!hasCode(cause, 'damaged')) throw cause;
    throw new HoldfastError('damaged', `${name} can't be opened: ${cause.message}`, { cause });
  }
}

/** Whose turn it is to decide that nobody needs it any more is its room's business. */
export async function removeOwnObject(repository: Repository, name: string): Promise<void> {
  const { storage, config } = sessionOf(repository);
  assertChangeable(config);
  await storage.remove(name);
}
