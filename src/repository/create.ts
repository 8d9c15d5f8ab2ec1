import { randomBytes } from 'node:crypto';
import { formatPolynomial, randomPolynomial } from '../chunking/polynomial.ts';
import { randomMasterKey } from '../crypto/key.ts';
import { seal } from '../crypto/seal.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import type { Storage } from '../storage/storage.ts';
import { decodeConfig, encodeConfig } from './config.ts';
import { writeKey } from './keys.ts';
import { configKey } from './layout.ts';
import { openedRepository, type OpenOptions } from './open.ts';
import type { NewKey } from './passwords.ts';
import type { Repository, RepositoryConfig } from './repository.ts';

export interface CreateOptions extends Pick<OpenOptions, 'storage' | 'clock'> {
  readonly key: NewKey;
  readonly version: RepositoryConfig['version'];
  /** That of another repository, so that blobs are equal in both; an own random one when left out. Lower-case hex. */
  readonly chunkerPolynomial?: string;
}

/**
 * Makes a repository where none is: 'refused' when there is a config, a key or a snapshot already. The key is
 * written first; a crash before the config leaves a key alone, which opens nothing.
 */
export async function createRepository(options: CreateOptions): Promise<Repository> {
  const { storage, clock, version } = options;
  await assertUnused(storage);
  const chunkerPolynomial = options.chunkerPolynomial ?? formatPolynomial(randomPolynomial());
  const plaintext = encodeConfig({ version, id: randomBytes(32).toHex(), chunkerPolynomial });
  const config = decodeConfig(plaintext);
  const master = randomMasterKey();
  const id = await writeKey(storage, clock, master, options.key);
  await storage.put(configKey, [seal(master, plaintext)], { ifAbsent: true });
  return openedRepository({ storage, clock, config, key: { id, master } });
}

async function assertUnused(storage: Storage): Promise<void> {
  if (await hasConfig(storage)) throw new HoldfastError('refused', `${storage.url} holds a repository already`);
  for (const prefix of ['keys/', 'snapshots/']) {
    for await (const { key } of storage.list(prefix)) {
      throw new HoldfastError('refused', `${storage.url} has no config, but ${key}: what remains of a repository`, {
        next: 'If an earlier init was interrupted, remove the folder keys and run init again. Nothing was changed.',
      });
    }
  }
}

async function hasConfig(storage: Storage): Promise<boolean> {
  try {
    await storage.stat(configKey);
    return true;
  } catch (error) {
    if (hasCode(error, 'storage-not-found')) return false;
    throw error;
  }
}
