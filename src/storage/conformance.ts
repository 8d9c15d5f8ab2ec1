import { randomUUID } from 'node:crypto';
import { HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import type { Check } from './conformance/check.ts';
import { nameChecks } from './conformance/names.ts';
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
 * Proves the contract on a storage that may hold a repository: all objects are made below one random prefix of our
 * own and removed again. Progress is told after each check.
 */
export async function runConformance(
  storage: Storage,
  listener: Listener,
  signal?: AbortSignal,
): Promise<ConformanceReport> {
  if (!storage.capabilities.ownPrefixes) {
    throw new HoldfastError(
      'unsupported',
      `${storage.url} can't hold keys outside a repository's layout, so nothing can be tried there`,
    );
  }
  const prefix = `holdfast/conformance/${randomUUID()}/`;
  const results: CheckResult[] = [];
  for (const [number, check] of conformanceChecks.entries()) {
    signal?.throwIfAborted();
    results.push(await runCheck(check, storage, `${prefix}${number}/`));
    listener({
      kind: 'progress',
      phase: 'checking the storage',
      doneBytes: 0,
      doneItems: number + 1,
      totalItems: conformanceChecks.length,
      current: [check.name],
    });
  }
  return { results, left: await clean(storage, prefix) };
}

async function runCheck({ name, needs, run }: Check, storage: Storage, prefix: string): Promise<CheckResult> {
  if (needs && !storage.capabilities[needs])
    return { name, outcome: 'not run', reason: `the storage doesn't claim ${needs}` };
  try {
    await run(storage, prefix);
    return { name, outcome: 'kept' };
  } catch (error) {
    return { name, outcome: 'broken', error };
  }
}

/** Removes everything below `prefix`; returns what stayed. */
async function clean(storage: Storage, prefix: string): Promise<readonly string[]> {
  const left: string[] = [];
  for await (const { key } of storage.list(prefix)) {
    await storage.remove(key).catch(() => left.push(key));
  }
  return left;
}
