import { randomUUID } from 'node:crypto';
import { hasCode, HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import type { Check } from './conformance/check.ts';
import { nameChecks } from './conformance/names.ts';
import { clean, ownPlace, packPlace, type Place } from './conformance/place.ts';
import { objectChecks } from './conformance/objects.ts';
import { writingChecks } from './conformance/writing.ts';
import type { Storage } from './storage.ts';

/** Every promise of storage.ts that can be seen from outside, one by one. */
const conformanceChecks: readonly Check[] = [...objectChecks, ...writingChecks, ...nameChecks];

export type CheckResult =
  | { readonly name: string; readonly outcome: 'kept' }
  | { readonly name: string; readonly outcome: 'broken'; readonly error: unknown }
  | { readonly name: string; readonly outcome: 'not run'; readonly reason: string };

export interface ConformanceReport {
  readonly results: readonly CheckResult[];
  /** What couldn't be removed again; empty but for a broken storage. */
  readonly left: readonly string[];
}

/**
 * Proves the contract on a storage: all objects are made below one random prefix of our own and removed again, so that
 * a repository may be there. A storage that holds restic's names only must be empty: what is tried are packs without
 * an index, which others would take for damage. Progress is told after each check.
 */
export async function runConformance(
  storage: Storage,
  listener: Listener,
  signal?: AbortSignal,
): Promise<ConformanceReport> {
  if (!storage.capabilities.ownPrefixes) await demandNoRepository(storage);
  const prefix = `holdfast/conformance/${randomUUID()}/`;
  const results: CheckResult[] = [];
  const places: Place[] = [];
  for (const [number, check] of conformanceChecks.entries()) {
    signal?.throwIfAborted();
    const place = storage.capabilities.ownPrefixes ? ownPlace(`${prefix}${number}/`) : packPlace();
    places.push(place);
    results.push(await runCheck(check, storage, place));
    await clean(storage, place);
    listener({
      kind: 'progress',
      phase: 'checking the storage',
      doneBytes: 0,
      doneItems: number + 1,
      totalItems: conformanceChecks.length,
      current: [check.name],
    });
  }
  return { results, left: await cleanAll(storage, places) };
}

/** Once more: the effect of a call that was given up may have come late. */
async function cleanAll(storage: Storage, places: readonly Place[]): Promise<readonly string[]> {
  const left: string[] = [];
  for (const place of places) left.push(...(await clean(storage, place)));
  return left;
}

async function demandNoRepository(storage: Storage): Promise<void> {
  try {
    await storage.stat('config');
  } catch (error) {
    if (hasCode(error, 'storage-not-found')) return;
    throw error;
  }
  throw new HoldfastError(
    'unsupported',
    `${storage.url} holds a repository and can't hold keys outside its layout, so nothing can be tried there`,
    { next: 'Give another address on the same server, where nothing is yet. Nothing was changed.' },
  );
}

async function runCheck({ name, needs, run }: Check, storage: Storage, place: Place): Promise<CheckResult> {
  if (needs && !storage.capabilities[needs])
    return { name, outcome: 'not run', reason: `the storage doesn't claim ${needs}` };
  try {
    await run(storage, place);
    return { name, outcome: 'kept' };
  } catch (error) {
    return { name, outcome: 'broken', error };
  }
}
