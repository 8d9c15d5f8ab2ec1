import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CopyOutcome } from '../src/job/copy.ts';
import { copy } from '../src/job/copy.ts';
import { anySnapshot } from '../src/snapshot/snapshots.ts';
import { FaultyStorage, type Fault } from '../src/storage/fault.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import { keysOfKind } from './support/damage.ts';
import { examine, jobContext, newRepository } from './support/engine.ts';
import { patient } from './support/repairing.ts';
import { writerOptions } from './support/pipeline.ts';

type Moment = 'planning' | 'copying';

const source = patient();

/** Copies three snapshots from a storage whose packs of trees give wrong bytes at certain reads. */
async function copiedWhile(faultAt: (moment: Moment, read: number) => Fault | undefined): Promise<{
  readonly outcome: CopyOutcome;
  readonly findings: readonly string[];
  readonly snapshots: number;
}> {
  const { storage, context } = await source;
  const trees = new Set(await keysOfKind(storage, context, 'tree pack'));
  let [moment, read]: [Moment, number] = ['planning', 0];
  const faulty = new FaultyStorage(storage, {
    faultFor: ({ kind, key }) => (kind === 'get' && trees.has(key) ? faultAt(moment, (read += 1)) : undefined),
  });
  const target = new MemoryStorage();
  await newRepository(target);
  const outcome = await copy(jobContext(target), {
    from: jobContext(faulty).access,
    places: { from: 'source', to: 'target' },
    ...{ names: [], filter: anySnapshot, now: Temporal.Now.zonedDateTimeISO(), mode: 'execute' },
    writer: writerOptions(),
    onPlan: () => ([moment, read] = ['copying', 0]),
    onCopied: () => undefined,
  });
  const { findings, snapshots } = await examine(target);
  return { outcome, findings, snapshots: snapshots.length };
}

test('a tree that can’t be read while it is copied, and can be again later, leaves no snapshot without it', async () => {
  let incomplete = 0;
  for (let failing = 1; failing <= 6; failing += 1) {
    const { outcome, findings, snapshots } = await copiedWhile((moment, read) =>
      moment === 'copying' && read <= failing ? 'error' : undefined,
    );
    assert.deepEqual(findings, [], `the first ${failing} reads`);
    assert.equal(outcome.copied, snapshots);
    assert.equal(snapshots < 3, outcome.lost.length > 0, `the first ${failing} reads`);
    if (snapshots < 3) incomplete += 1;
  }
  assert.ok(incomplete > 0);
});

test('trees that can be read now and then while a copy is planned leave no snapshot without them', async () => {
  for (const again of [16, 28, 31, 36, 41]) {
    const { outcome, findings, snapshots } = await copiedWhile((moment, read) =>
      moment === 'planning' && (read === 2 || read === again) ? 'error' : undefined,
    );
    assert.deepEqual(findings, [], `reads 2 and ${again}`);
    assert.equal(outcome.copied, snapshots);
    assert.equal(snapshots < 3, outcome.lost.length > 0, `reads 2 and ${again}`);
  }
});
