import { hasCode } from '../errors/error.ts';
import { TaskGroup } from '../flow/task-group.ts';
import { readOwnObject } from '../repository/own-object.ts';
import type { Repository } from '../repository/repository.ts';
import { listChains } from './chain.ts';
import { decodeHead, type Head } from './form.ts';

export type SignedHead = Head & { readonly signer: string };

/** What a repository was told of chains that stand in others, and what can't be read of it. */
export interface ToldHeads {
  readonly heads: readonly SignedHead[];
  /** Objects that were damaged or forged, and so tell nothing. */
  readonly unreadable: readonly { readonly name: string; readonly reason: string }[];
}

const concurrentReads = 16;

/**
 * All of them, the older ones too: who stole a key and wrote a chain anew can add newer heads, and can't take back what
 * was told before.
 */
export async function readHeads(repository: Repository): Promise<ToldHeads> {
  const heads: SignedHead[] = [];
  const unreadable: { readonly name: string; readonly reason: string }[] = [];
  const read = async (name: string): Promise<void> => {
    try {
      heads.push(decodeHead(await readOwnObject(repository, name), name));
    } catch (error) {
      if (!hasCode(error, 'damaged', 'unsupported', 'storage-not-found')) throw error;
      unreadable.push({ name, reason: error.message });
    }
  };
  await using group = new TaskGroup({ limit: concurrentReads });
  for (const chain of await listChains(repository))
    for (const name of chain.heads) group.run(async () => await read(name));
  await group.wait();
  return { heads, unreadable };
}
