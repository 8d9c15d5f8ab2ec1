import { fieldsOf, parseFields } from '../bytes/fields.ts';
import type { Clock } from '../clock/clock.ts';
import { hasCode } from '../errors/error.ts';
import type { WrittenVersion } from '../storage/versions.ts';
import { openCacheFolder } from './cache-folder.ts';

/** Until when which version of an object is locked, as was last set or read. Losing it costs requests, nothing else. */
export interface LockMemory {
  get(key: string): WrittenVersion | undefined;
  set(key: string, lock: WrittenVersion): void;
}

export interface StoredLockMemory extends LockMemory {
  save(): Promise<void>;
}

const fileKey = 'object-locks';

/** What is remembered of a repository in the folder of all caches; nothing is kept without one. */
export async function lockMemory(
  folder: string | undefined,
  repositoryId: string,
  clock: Clock,
): Promise<StoredLockMemory> {
  if (folder === undefined) return { ...memoryOf(new Map()), save: async () => {} };
  await using cache = await openCacheFolder(folder, repositoryId, clock);
  const bytes = await cache.get(fileKey).catch((error: unknown) => {
    if (hasCode(error, 'storage-not-found')) return Buffer.from('{}');
    throw error;
  });
  const known = decode(bytes);
  return {
    ...memoryOf(known),
    save: async () => {
      await using again = await openCacheFolder(folder, repositoryId, clock);
      await again.put(fileKey, [encode(known)]);
    },
  };
}

function memoryOf(known: Map<string, WrittenVersion>): LockMemory {
  return { get: (key) => known.get(key), set: (key, lock) => known.set(key, lock) };
}

function encode(known: ReadonlyMap<string, WrittenVersion>): Buffer {
  const entries = [...known].map(([key, { version, mode, untilNs }]) => [key, { version, mode, until: `${untilNs}` }]);
  return Buffer.from(JSON.stringify(Object.fromEntries(entries)));
}

/** What can't be understood is forgotten. */
function decode(bytes: Uint8Array): Map<string, WrittenVersion> {
  const known = new Map<string, WrittenVersion>();
  try {
    for (const [key, value] of Object.entries(parseFields(bytes, fileKey))) {
      const { version, mode, until } = fieldsOf(value, fileKey);
      if (typeof version !== 'string' || typeof until !== 'string' || !/^\d+$/.test(until)) continue;
      if (mode === 'compliance' || mode === 'governance') known.set(key, { version, mode, untilNs: BigInt(until) });
    }
  } catch (error) {
    if (!hasCode(error, 'damaged')) throw error;
  }
  return known;
}
