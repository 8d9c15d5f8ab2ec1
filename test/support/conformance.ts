import assert from 'node:assert/strict';
import { systemClock } from '../../src/clock/clock.ts';
import { silent } from '../../src/events/events.ts';
import { runConformance, type CheckResult } from '../../src/storage/conformance.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { inTrial } from '../../src/storage/trial.ts';

/** The whole suite, and what it leaves. */
export async function conformanceOf(
  storage: Storage,
): Promise<{ readonly results: readonly CheckResult[]; readonly left: readonly string[] }> {
  const context = { clock: systemClock, signal: new AbortController().signal, listener: silent };
  const { outcome, remains } = await inTrial(storage, context, (trial) => runConformance(trial, context));
  return { results: outcome, left: remains.left };
}

/** Every promise of the contract is kept, and nothing stays; what isn't claimed can't be tried, and is named. */
export async function assertConforms(storage: Storage, notRun: readonly string[] = []): Promise<void> {
  const { results, left } = await conformanceOf(storage);
  for (const result of results)
    assert.notEqual(
      result.outcome,
      'broken',
      `${result.name}: ${'error' in result && result.error instanceof Error ? result.error.stack : ''}`,
    );
  const skipped = results.filter(({ outcome }) => outcome === 'not run').map(({ name }) => name);
  assert.deepEqual(skipped.toSorted(), notRun.toSorted());
  assert.ok(results.length >= 17);
  assert.deepEqual(left, []);
}

/** What a storage with restic's names only doesn't claim. */
export const needsOwnNames: readonly string[] = [
  'a replaced object is old or new for a reader, never a mixture',
  'every key of the allowed form can be held',
  'of many that create one object at once, exactly one succeeds',
];
