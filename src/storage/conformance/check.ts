import type { ErrorCode } from '../../errors/codes.ts';
import { hasCode } from '../../errors/error.ts';
import { seededRandom } from '../seeded.ts';
import type { Storage } from '../storage.ts';
import type { Place } from '../trial/place.ts';

/** One promise of the contract and how to see that it is kept. */
export interface Check {
  /** The promise, for people. */
  readonly name: string;
  /** Not run where the storage doesn't claim this. */
  readonly needs?: 'conditionalCreate' | 'ownPrefixes' | 'stage';
  /** What comes of it where it isn't kept and that isn't plain: a clause for people. */
  readonly follows?: string;
  /** Rejects when the promise is broken. Stores nothing but at the place. */
  readonly run: (storage: Storage, place: Place) => Promise<void>;
}

export function demand(kept: boolean, broken: string): asserts kept {
  if (!kept) throw new Error(broken);
}

/** `call` must fail with exactly this code. */
export async function demandCode(code: ErrorCode, what: string, call: Promise<unknown>): Promise<void> {
  const outcome = await call.then(
    () => 'it succeeded',
    (error: unknown) => (hasCode(error, code) ? undefined : `it failed with: ${String(error)}`),
  );
  demand(outcome === undefined, `${what} must fail with '${code}', but ${outcome}`);
}

/** Some storages take the removal of what isn't there for done; any other failure breaks the promise. */
export async function demandAbsent(what: string, removal: Promise<void>): Promise<void> {
  const error: unknown = await removal.catch((failure: unknown) => failure);
  const kept = error === undefined || hasCode(error, 'storage-not-found');
  demand(kept, `${what} must be done or fail with 'storage-not-found', but it failed with: ${String(error)}`);
}

export async function demandBytes(storage: Storage, key: string, wanted: Uint8Array): Promise<void> {
  const bytes = await storage.get(key);
  demand(
    Buffer.compare(bytes, wanted) === 0,
    `${key} reads back as ${bytes.length} other bytes than the ${wanted.length} stored`,
  );
}

/** Bytes that no compression or deduplication on the way can hide mistakes in; the same for the same seed. */
export function sample(sizeBytes: number, seed = 1): Uint8Array {
  const random = seededRandom(seed);
  const words = new Uint32Array(Math.ceil(sizeBytes / 4));
  for (let at = 0; at < words.length; at++) words[at] = random() * 2 ** 32;
  return new Uint8Array(words.buffer, 0, sizeBytes);
}

/** Stores bytes at their key, and gives it. */
export async function store(storage: Storage, place: Place, name: string, bytes: Uint8Array): Promise<string> {
  const key = place.key(name, bytes);
  await storage.put(key, [bytes]);
  return key;
}

/** What is listed at a place, without what others may have stored there. */
export async function listedAt(
  storage: Storage,
  place: Place,
  prefix = place.prefix,
): Promise<ReadonlyMap<string, number>> {
  const found = [...(await listed(storage, prefix))];
  return new Map(found.filter(([key]) => place.holds(key)));
}

export async function listed(storage: Storage, prefix: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for await (const { key, sizeBytes } of storage.list(prefix)) {
    demand(!found.has(key), `${key} is listed twice`);
    found.set(key, sizeBytes);
  }
  return found;
}
