import { HoldfastError, hasCode } from '../errors/error.ts';
import type { ObjectInfo, Storage, WaitOptions } from '../storage/storage.ts';

/**
 * Asks for an object that the storage has just confirmed. 'storage-failed' when it isn't there after all, or not of
 * this size: told before anything relies on it.
 */
export async function confirmStored(
  storage: Storage,
  { key, sizeBytes }: Pick<ObjectInfo, 'key' | 'sizeBytes'>,
  options: WaitOptions = {},
): Promise<void> {
  const stored = await sizeOf(storage, key, options);
  if (stored === sizeBytes) return;
  const found = stored === undefined ? 'does not have it' : `has ${stored} of its ${sizeBytes} bytes`;
  throw new HoldfastError('storage-failed', `${storage.url} confirmed ${key} and ${found}`, {
    next: 'Do not rely on this storage before `holdfast doctor storage` finds no fault with it.',
  });
}

async function sizeOf(storage: Storage, key: string, options: WaitOptions): Promise<number | undefined> {
  try {
    return (await storage.stat(key, options)).sizeBytes;
  } catch (error) {
    if (hasCode(error, 'storage-not-found')) return undefined;
    throw error;
  }
}
