import type { Clock } from '../clock/clock.ts';
import { listCaches, removeCache, type CacheInfo } from '../repository/cache-folder.ts';

export interface AgedCache extends CacheInfo {
  readonly ageMs: number;
}

/** The caches below a folder, the longest unused first. */
export async function agedCaches(folder: string, clock: Clock): Promise<readonly AgedCache[]> {
  const nowMs = Number(clock.nowNs() / 1_000_000n);
  const caches = await listCaches(folder);
  return caches.map((cache) => ({ ...cache, ageMs: nowMs - cache.lastUsedMs })).toSorted((a, b) => b.ageMs - a.ageMs);
}

/** Removes those that were not used for as long; resolves to them. */
export async function removeOldCaches(folder: string, clock: Clock, maxAgeMs: number): Promise<readonly AgedCache[]> {
  const old = (await agedCaches(folder, clock)).filter(({ ageMs }) => ageMs > maxAgeMs);
  for (const cache of old) await removeCache(cache);
  return old;
}
