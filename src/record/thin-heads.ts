import { hasCode } from '../errors/error.ts';
import { removeOwnObject } from '../repository/own-object.ts';
import type { Repository } from '../repository/repository.ts';
import { isBundle, listChain } from './chain.ts';
import { headName } from './form.ts';

/**
 * Of each bundle of a chain, keeps the newest head that another repository was told, and removes the older ones: a head
 * covers all records before it, so that nothing more can be changed unseen. Resolves with how many were removed; what
 * may not be removed stays, and says the same.
 */
export async function thinHeads(
  other: Repository,
  home: Repository,
  chain: { readonly component: string; readonly writer: string },
): Promise<number> {
  const bundles = (await listChain(home, chain)).files.filter(isBundle);
  const prefix = headName({ repository: home.config.id, ...chain, sequence: 0 }).slice(0, -10);
  const told = (await listChain(other, chain)).heads.filter((name) => name.startsWith(prefix));
  let removed = 0;
  for (const { from, to } of bundles) {
    const within = told.filter((name) => from <= sequenceOf(name) && sequenceOf(name) <= to).toSorted();
    for (const name of within.slice(0, -1)) removed += await remove(other, name);
  }
  return removed;
}

function sequenceOf(name: string): number {
  return Number(name.slice(-10));
}

async function remove(repository: Repository, name: string): Promise<0 | 1> {
  try {
    await removeOwnObject(repository, name);
    return 1;
  } catch (error) {
    if (!hasCode(error, 'storage-denied', 'storage-not-found')) throw error;
    return 0;
  }
}
