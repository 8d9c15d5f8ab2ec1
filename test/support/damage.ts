import type { BlobType } from '../../src/repository/index.ts';
import { keyOf } from '../../src/repository/layout.ts';
import { silent } from '../../src/events/events.ts';
import type { JobContext } from '../../src/job/job.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** What a repository is made of. */
export const fileKinds = ['config', 'key', 'index', 'snapshot', 'data pack', 'tree pack', 'lock'] as const;
export type DamagedKind = (typeof fileKinds)[number];

const folders: Readonly<Record<DamagedKind, string>> = {
  'config': '',
  'key': 'keys/',
  'index': 'index/',
  'snapshot': 'snapshots/',
  'data pack': 'data/',
  'tree pack': 'data/',
  'lock': 'locks/',
};

/** The keys of all files of a kind, in order. */
export async function keysOfKind(storage: Storage, context: JobContext, kind: DamagedKind): Promise<readonly string[]> {
  if (kind === 'config') return ['config'];
  if (kind === 'data pack') return await packsOfType(context, 'data');
  if (kind === 'tree pack') return await packsOfType(context, 'tree');
  return (await Array.fromAsync(storage.list(folders[kind]), ({ key }) => key)).toSorted();
}

async function packsOfType(context: JobContext, wanted: BlobType): Promise<readonly string[]> {
  await using repository = await context.access.open();
  await repository.loadIndex(silent);
  const packs = [...repository.index.all()]
    .filter(({ type }) => type === wanted)
    .map(({ pack }) => keyOf('data', pack));
  return [...new Set(packs)].toSorted();
}

export async function flipBit(storage: Storage, key: string, random: () => number): Promise<void> {
  const bytes = Uint8Array.from(await storage.get(key));
  const at = Math.floor(random() * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  await storage.put(key, [bytes]);
}

/** Anything from all but one byte to nothing is left; of a lock one byte, for an empty one is none. */
export async function cutOff(storage: Storage, key: string, random: () => number): Promise<void> {
  const bytes = await storage.get(key);
  const least = key.startsWith(folders.lock) ? 1 : 0;
  await storage.put(key, [bytes.slice(0, least + Math.floor(random() * (bytes.length - least)))]);
}

export async function swapFiles(storage: Storage, one: string, other: string): Promise<void> {
  const [first, second] = [await storage.get(one), await storage.get(other)];
  await storage.put(one, [second]);
  await storage.put(other, [first]);
}
