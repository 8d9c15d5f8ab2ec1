import { readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../clock/clock.ts';
import { rawPathOf } from '../bytes/ids.ts';
import { makeFolders } from '../host/make-folders.ts';
import { errorCode } from '../host/system-error.ts';
import { openLocal } from '../storage/local.ts';
import type { Storage } from '../storage/storage.ts';

/** Where caches are unless somebody says otherwise (XDG). */
export function defaultCacheFolder(environment: Readonly<Record<string, string | undefined>>): string {
  return environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
}

/** The signature by which backup programs know folders that are not worth saving (bford.info/cachedir). */
const cacheTag = 'Signature: 8a477f597d28d172789f06886806bc55\n# Cache of Holdfast: can be removed at any time.\n';

/** Opens `<folder>/holdfast/<repository id>`, the owner's alone, and notes that it is in use. */
export async function openCacheFolder(folder: string, repositoryId: string, clock: Clock): Promise<Storage> {
  return await openLocal(await makeCacheFolder(folder, repositoryId, clock), { create: true });
}

/** As `openCacheFolder`; resolves to its path. */
export async function makeCacheFolder(folder: string, repositoryId: string, clock: Clock): Promise<string> {
  const own = join(folder, 'holdfast');
  const path = join(own, repositoryId);
  makeFolders(rawPathOf(path), 0o700);
  await writeFile(join(own, 'CACHEDIR.TAG'), cacheTag, { flag: 'wx' }).catch(unlessExists);
  const now = Number(clock.nowNs() / 1_000_000n) / 1000;
  await utimes(path, now, now);
  return path;
}

function unlessExists(error: unknown): void {
  if (errorCode(error) !== 'EEXIST') throw error;
}

export interface CacheInfo {
  readonly repositoryId: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly lastUsedMs: number;
}

/** The caches of all repositories below `folder`. */
export async function listCaches(folder: string): Promise<readonly CacheInfo[]> {
  const own = join(folder, 'holdfast');
  const names = await readdir(own).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  return Promise.all(names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map((name) => cacheInfo(own, name)));
}

async function cacheInfo(own: string, repositoryId: string): Promise<CacheInfo> {
  const path = join(own, repositoryId);
  const { mtimeMs } = await stat(path);
  await using storage = await openLocal(path);
  let sizeBytes = 0;
  for await (const info of storage.list('')) sizeBytes += info.sizeBytes;
  return { repositoryId, path, sizeBytes, lastUsedMs: mtimeMs };
}

export async function removeCache({ path }: CacheInfo): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
