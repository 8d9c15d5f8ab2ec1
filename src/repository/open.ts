import type { Clock } from '../clock/clock.ts';
import { open, type RepositoryKey } from '../crypto/seal.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import type { Storage } from '../storage/storage.ts';
import { decodeConfig } from './config.ts';
import { searchKey, type OpenedKey } from './keys.ts';
import { configKey } from './layout.ts';
import { OpenedRepository } from './opened.ts';
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
}

/**
 * Opens the repository with a password: 'no-repository' when there is none, 'wrong-password' when the password opens
 * no key, 'damaged' when config or keys are. Takes the time that the key's scrypt parameters ask for, in a pool
 * thread: call it early and await it late.
 */
export async function openRepository(options: OpenOptions): Promise<Repository> {
  const { storage, clock } = options;
  const sealedConfig = await readConfig(storage);
  const key = await searchKey(storage, options.password, options.keyHint);
  return openedRepository({ storage, clock, key, config: openConfig(key.master, sealedConfig) });
}

async function readConfig(storage: Storage): Promise<Uint8Array> {
  try {
    return await storage.get(configKey);
  } catch (cause) {
    if (!hasCode(cause, 'storage-not-found', 'storage-missing')) throw cause;
    throw new HoldfastError('no-repository', `there is no repository at ${storage.url}`, { cause });
  }
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
}

export function openedRepository({ storage, clock, config, key }: Opened): Repository {
  const gate = new WriteGate();
  return new OpenedRepository({ storage: gated(storage, gate), key: key.master, config, clock }, key.id, gate);
}
