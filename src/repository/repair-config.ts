import { randomBytes } from 'node:crypto';
import type { Fields } from '../bytes/fields.ts';
import { formatPolynomial, randomPolynomial } from '../chunking/polynomial.ts';
import { open, seal, type RepositoryKey } from '../crypto/seal.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import type { Storage } from '../storage/storage.ts';
import { encodeConfig } from './config.ts';
import { confirmStored } from './confirm.ts';
import { configKey, idOf } from './layout.ts';
import { readNamed } from './named-file.ts';
import { configOf } from './open.ts';
import type { Repository, RepositoryConfig } from './repository.ts';
import { sessionOf } from './session.ts';

/** What takes the place of a config that is lost: nothing else is done. */
export interface RepairConfigPlan {
  readonly config: Pick<RepositoryConfig, 'version' | 'id' | 'chunkerPolynomial'> & { readonly raw?: Fields };
  /**
   * 'clone': a copy of this very repository, with the same master key, had it: nothing is lost. 'copy': another
   * repository's way of cutting files, and a new ID. 'new': both are new; what was can't be known.
   */
  readonly origin: 'clone' | 'copy' | 'new';
  readonly state: 'missing' | 'damaged';
}

/**
 * Finds a config for a repository whose keys are still there. Everything that is stored can be read with any config:
 * the ID names caches, the polynomial says where files are cut. 'refused' when the config is intact.
 */
export async function planConfigRepair(
  storage: Storage,
  master: RepositoryKey,
  other: Repository | undefined,
): Promise<RepairConfigPlan> {
  const state = await stateOf(storage, master);
  if (other !== undefined && Buffer.compare(sessionOf(other).key.encrypt, master.encrypt) === 0) {
    const { version, id, chunkerPolynomial, raw } = other.config;
    return { config: { version, id, chunkerPolynomial, raw }, origin: 'clone', state };
  }
  const version = await versionOf(storage, master);
  const id = randomBytes(32).toHex();
  const chunkerPolynomial = other?.config.chunkerPolynomial ?? formatPolynomial(randomPolynomial());
  return { config: { version, id, chunkerPolynomial }, origin: other === undefined ? 'new' : 'copy', state };
}

async function stateOf(storage: Storage, master: RepositoryKey): Promise<RepairConfigPlan['state']> {
  try {
    await configOf(storage, master);
  } catch (error) {
    if (hasCode(error, 'no-repository')) return 'missing';
    if (hasCode(error, 'damaged')) return 'damaged';
    throw error;
  }
  throw new HoldfastError('refused', `the config of ${storage.url} is intact: nothing was changed`);
}

/** Only version 2 compresses index and snapshot files. With none of either, version 2 reads all that there may be. */
async function versionOf(storage: Storage, master: RepositoryKey): Promise<RepositoryConfig['version']> {
  let plain = 0;
  for (const kind of ['index', 'snapshots'] as const) {
    for await (const { key } of storage.list(`${kind}/`)) {
      const id = idOf(key);
      const first = id === undefined ? undefined : await firstByte(() => readNamed(storage, kind, id), master);
      if (first === 2) return 2;
      if (first !== undefined) plain += 1;
    }
  }
  return plain === 0 ? 2 : 1;
}

/** undefined for what is damaged. */
async function firstByte(read: () => Promise<Uint8Array>, master: RepositoryKey): Promise<number | undefined> {
  try {
    return open(master, await read())[0];
  } catch (error) {
    if (hasCode(error, 'damaged', 'storage-not-found')) return undefined;
    throw error;
  }
}

/**
 * One write: a crash leaves what was there before, or the new config whole. Where a config can't be replaced
 * (rest-server), the damaged one goes first, and a crash leaves none: run again, it is written.
 */
export async function executeConfigRepair(
  storage: Storage,
  master: RepositoryKey,
  { config, state }: RepairConfigPlan,
): Promise<void> {
  const sealed = seal(master, encodeConfig(config));
  try {
    await storage.put(configKey, [sealed], state === 'missing' ? { ifAbsent: true } : {});
  } catch (error) {
    if (state === 'missing' || !hasCode(error, 'storage-exists')) throw error;
    await storage.remove(configKey);
    await storage.put(configKey, [sealed], { ifAbsent: true });
  }
  await confirmStored(storage, { key: configKey, sizeBytes: sealed.length });
}
