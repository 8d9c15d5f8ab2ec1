import { hasCode } from '../../../errors/error.ts';
import type { Extent, LogStore } from '../../../log/log.ts';

/**
 * Those of what stands in a place that can't be read, as a storage leaves them that was cut off while it wrote. What tells of a
 * segment is stored after it: only one that nothing tells of is read itself.
 */
export async function unreadableOf(store: LogStore, segments: readonly Extent[]): Promise<readonly Extent[]> {
  const unreadable: Extent[] = [];
  for (const one of segments) {
    const isTold = (await unlessDamaged(async () => await store.about(one))) !== undefined;
    if (!isTold && (await unlessDamaged(async () => await store.get(one))) === undefined) unreadable.push(one);
  }
  return unreadable;
}

async function unlessDamaged<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (hasCode(error, 'damaged', 'storage-not-found')) return undefined;
    throw error;
  }
}
