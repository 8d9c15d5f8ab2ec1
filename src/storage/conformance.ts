import type { Listener } from '../events/events.ts';
import type { Check } from './conformance/check.ts';
import { nameChecks } from './conformance/names.ts';
import { objectChecks } from './conformance/objects.ts';
import { writingChecks } from './conformance/writing.ts';
import type { Storage } from './storage.ts';
import type { Trial } from './trial.ts';
import type { Place } from './trial/place.ts';

/** Every promise of storage.ts that can be seen from outside, one by one. */
const conformanceChecks: readonly Check[] = [...objectChecks, ...writingChecks, ...nameChecks];

export type CheckResult =
  | { readonly name: string; readonly outcome: 'kept' }
  /** `follows`: what comes of it, where that isn't plain. */
  | {
      readonly name: string;
      readonly outcome: 'broken';
      readonly error: unknown;
      readonly follows?: string | undefined;
    }
  | {
      readonly name: string;
      readonly outcome: 'not run';
      readonly reason: string;
      readonly follows?: string | undefined;
    };

/** Proves the contract on a storage, check by check. Progress is told after each. */
export async function runConformance(
  trial: Trial,
  { listener, signal }: { readonly listener: Listener; readonly signal: AbortSignal },
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const [number, check] of conformanceChecks.entries()) {
    const place = trial.place(String(number));
    const result = await runCheck(check, trial.storage, place);
    signal.throwIfAborted();
    results.push(result);
    await trial.leave(place);
    listener({
      kind: 'progress',
      phase: 'checking the storage',
      doneBytes: 0,
      doneItems: number + 1,
      totalItems: conformanceChecks.length,
      current: [check.name],
    });
  }
  return results;
}

async function runCheck({ name, needs, follows, run }: Check, storage: Storage, place: Place): Promise<CheckResult> {
  if (needs && !claims(storage, needs))
    return { name, outcome: 'not run', reason: `the storage doesn't claim ${needs}`, follows };
  try {
    await run(storage, place);
    return { name, outcome: 'kept' };
  } catch (error) {
    return { name, outcome: 'broken', error, follows };
  }
}

function claims(storage: Storage, what: NonNullable<Check['needs']>): boolean {
  return what === 'stage' ? storage.stage !== undefined : storage.capabilities[what];
}
