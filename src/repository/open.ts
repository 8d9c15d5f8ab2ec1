import type { FileId } from '../bytes/ids.ts';
import type { Clock } from '../clock/clock.ts';
import { open, type RepositoryKey } from '../crypto/seal.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { reasonOf } from '../host/system-error.ts';
import type { Storage } from '../storage/storage.ts';
import { openCacheFolder } from './cache-folder.ts';
import { CachedStorage } from './cache.ts';
import { decodeConfig } from './config.ts';
import { searchKey, type OpenedKey } from './keys.ts';
import { configKey } from './layout.ts';
import { OpenedRepository, type Opening } from './opened.ts';
import type { Password } from './passwords.ts';
import type { Repository, RepositoryConfig } from './repository.ts';
import { WriteGate, gated } from './write-gate.ts';

export interface OpenOptions {
  /** Given up to the repository, which disposes of it. */
  readonly storage: Storage;
  readonly clock: Clock;
  readonly password: Password;
  /** The start of the ID of the key to try first. */
  readonly keyHint?: string;
  /** The search for the password's key, where it was begun before. */
  readonly search?: Promise<OpenedKey>;
  /** Where index, snapshots and trees may be kept nearby: the folder of all caches. */
  readonly cache?: CacheOptions;
}

export interface CacheOptions {
  readonly folder: string;
  readonly listener: Listener;
}

/**
 * Opens the repository with a password: 'no-repository' when there is none, 'wrong-password' when the password opens
 * no key, 'damaged' when config or keys are. Takes the time that the key's scrypt parameters ask for, in a pool
 * thread: call it early and await it late.
 */
export async function openRepository(options: OpenOptions): Promise<Repository> {
  const { storage, clock } = options;
  const { password, keyHint = '', search = searchKey(storage, password, { hint: keyHint }) } = options;
  search.catch(() => undefined); // heard below, unless there is no repository at all
  const sealedConfig = await readConfig(storage);
  const key = await search;
  return openedRepository({ storage, clock, key, config: openConfig(key.master, sealedConfig), cache: options.cache });
}

/** A config has some 150 bytes. */
const maxConfigBytes = 1024 * 1024;

async function readConfig(storage: Storage): Promise<Uint8Array> {
  try {
    return await storage.get(configKey, { maxBytes: maxConfigBytes });
  } catch (cause) {
    if (!hasCode(cause, 'storage-not-found', 'storage-missing')) throw cause;
    throw new HoldfastError('no-repository', `there is no repository at ${storage.url}`, { cause });
  }
}

/** 'no-repository' where there is none, 'damaged' where it isn't what was written. */
export async function configOf(storage: Storage, master: RepositoryKey): Promise<RepositoryConfig> {
  return openConfig(master, await readConfig(storage));
}

function openConfig(master: RepositoryKey, sealed: Uint8Array): RepositoryConfig {
  try {
    return decodeConfig(open(master, sealed));
  } catch (cause) {
    if (!hasCode(cause, 'damaged')) throw cause;
    throw new HoldfastError('damaged', `the repository's config can't be opened: ${cause.message}`, { cause });
  }
}

interface Opened {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly config: RepositoryConfig;
  readonly key: OpenedKey;
  readonly cache?: CacheOptions | undefined;
}

export async function openedRepository({ storage, clock, config, key, cache }: Opened): Promise<Repository> {
  const near = cache && (await openCache(config, clock, cache));
  const assembled = (keyId: FileId): Opening => {
    const writeGate = new WriteGate();
    const cached = near && new CachedStorage(storage, near.folder, near.warn);
    const session = { key: key.master, config, clock, storage: gated(cached ?? storage, writeGate) };
    return { session, direct: gated(storage, writeGate), keyId, writeGate, cache: cached, another: assembled };
  };
  return new OpenedRepository(assembled(key.id));
}

interface Near {
  readonly folder: Storage;
  readonly warn: (error: unknown) => void;
}

/** undefined, and a warning, when the folder can't be used: everything works without it. */
async function openCache(
  config: RepositoryConfig,
  clock: Clock,
  { folder, listener }: CacheOptions,
): Promise<Near | undefined> {
  const warn = (error: unknown): void =>
    listener({ kind: 'warning', during: 'cache', item: folder, message: `the cache is not used: ${reasonOf(error)}` });
  try {
    return { folder: await openCacheFolder(folder, config.id, clock), warn };
  } catch (error) {
    warn(error);
    return undefined;
  }
}
