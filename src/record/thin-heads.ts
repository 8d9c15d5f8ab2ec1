import { hasCode } from '../errors/error.ts';
import { readOwnObject, removeOwnObject } from '../repository/own-object.ts';
import type { Repository } from '../repository/repository.ts';
import { isBundle, listChain, objectsIn, type ChainFile } from './chain.ts';
import { decodeHead, decodeRecord, headName } from './form.ts';
import type { StoredRecord } from './record.ts';

interface Chain {
  readonly component: string;
  readonly writer: string;
}

/**
 * Of each bundle of a chain, keeps the newest head that another repository was told and that says what stands there,
 * and removes the older ones that say so too: it covers all records before it, so that nothing more can be changed
 * unseen. A head that can't be read or says otherwise is evidence: it stays, and nothing goes for its sake. Resolves
 * with how many were removed; where one may not be removed, the others are left for another time.
 */
export async function thinHeads(other: Repository, home: Repository, chain: Chain): Promise<number> {
  const bundles = (await listChain(home, chain)).files.filter(isBundle);
  const prefix = headName({ repository: home.config.id, ...chain, sequence: 0 }).slice(0, -10);
  const told = (await listChain(other, chain)).heads.filter((name) => name.startsWith(prefix));
  let removed = 0;
  for (const bundle of bundles) {
    const within = told.filter((name) => bundle.from <= sequenceOf(name) && sequenceOf(name) <= bundle.to).toSorted();
    if (within.length < 2) continue;
    const records = await recordsIn(home, chain, bundle);
    const isTrue = async (name: string): Promise<boolean> =>
      await saysSo(other, name, { home, record: records.get(sequenceOf(name)) });
    for (const name of await coveredIn(within, isTrue)) {
      const outcome = await remove(other, name);
      if (outcome === 'denied') return removed;
      removed += 1;
    }
  }
  return removed;
}

/** By their numbers; none where the bundle isn't right. */
async function recordsIn(
  home: Repository,
  chain: Chain,
  bundle: ChainFile,
): Promise<ReadonlyMap<number, StoredRecord>> {
  try {
    const { objects } = await objectsIn(home, chain, bundle);
    return new Map(objects.map(({ name, object }) => [sequenceOf(name), decodeRecord(object, name)]));
  } catch (error) {
    if (!hasCode(error, 'damaged', 'unsupported', 'storage-not-found')) throw error;
    return new Map();
  }
}

/** All that are true but the newest of these; names in the order of their numbers. */
async function coveredIn(
  names: readonly string[],
  isTrue: (name: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names) if (await isTrue(name)) found.push(name);
  return found.slice(0, -1);
}

/** Whether a head names the record that stands there, and whoever signed that signed this. */
async function saysSo(
  other: Repository,
  name: string,
  { home, record }: { readonly home: Repository; readonly record: StoredRecord | undefined },
): Promise<boolean> {
  if (record === undefined) return false;
  try {
    const { repository, hash, signer } = decodeHead(await readOwnObject(other, name), name);
    return repository === home.config.id && hash === record.hash && signer === record.signer;
  } catch (error) {
    if (!hasCode(error, 'damaged', 'unsupported', 'storage-not-found')) throw error;
    return false;
  }
}

function sequenceOf(name: string): number {
  return Number(name.slice(-10));
}

async function remove(repository: Repository, name: string): Promise<'removed' | 'denied'> {
  try {
    await removeOwnObject(repository, name);
  } catch (error) {
    if (hasCode(error, 'storage-denied')) return 'denied';
    if (!hasCode(error, 'storage-not-found')) throw error;
  }
  return 'removed';
}
