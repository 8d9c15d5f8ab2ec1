import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/clock/clock.ts';
import { silent } from '../../src/events/events.ts';
import { runConformance, type CheckResult } from '../../src/storage/conformance.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { inTrial } from '../../src/storage/trial.ts';
import { prove, type ProofTable } from './proof.ts';

/** The whole suite, and what it leaves. */
export async function conformanceOf(
  storage: Storage,
): Promise<{ readonly results: readonly CheckResult[]; readonly left: readonly string[] }> {
  const context = { clock: systemClock, signal: new AbortController().signal, listener: silent };
  const { outcome, remains } = await inTrial(storage, context, (trial) => runConformance(trial, context));
  return { results: outcome, left: remains.left };
}

/** Where the contract is tried; each is a column of the page. */
const storages = [
  'folder',
  'memory',
  'S3 (versitygw)',
  'S3 (MinIO)',
  'SFTP (OpenSSH)',
  'REST (rest-server)',
  'rclone (folder)',
  'rclone (crypt)',
] as const;

type TriedStorage = (typeof storages)[number];

/** Every promise of the contract is kept, and nothing stays; what isn't claimed can't be tried, and is named. */
export async function assertConforms(
  storage: Storage,
  notRun: readonly string[] = [],
): Promise<readonly CheckResult[]> {
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
  return results;
}

/** The same of a real storage, for the page. */
export async function proveConforms(
  context: TestContext,
  name: TriedStorage,
  storage: Storage,
  notRun: readonly string[] = [],
): Promise<void> {
  const results = await assertConforms(storage, notRun);
  const count = `${results.length - notRun.length} of ${results.length} promises, the others not claimed`;
  prove(context, { claim: `the contract of storages: ${name}`, count, table: tableOf(name, results) });
}

function tableOf(name: TriedStorage, results: readonly CheckResult[]): ProofTable {
  const rows = results.map(({ name: promise, outcome }) => [
    promise,
    ...storages.map((one) => (one === name ? (outcome === 'not run' ? 'not claimed' : outcome) : null)),
  ]);
  return { title: 'The contract of storages', columns: ['promise', ...storages], rows };
}

/** What a storage doesn't claim that isn't a file system of this host. */
export const needsStaging = 'a staged object is invisible until its commit, then whole, and leaves nothing without one';

/** What a storage with restic's names only doesn't claim. */
export const needsOwnNames: readonly string[] = [
  needsStaging,
  'a replaced object is old or new for a reader, never a mixture',
  'every key of the allowed form can be held',
  'of many that create one object at once, exactly one succeeds',
];
