import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { HoldfastError } from '../src/errors/error.ts';
import { repairConfig } from '../src/job/repair-config.ts';
import { createRepository } from '../src/repository/create.ts';
import { searchKey } from '../src/repository/keys.ts';
import type { MemoryStorage } from '../src/storage/memory.ts';
import { countOperations, cutAt, everyCut } from '../src/storage/powercut.ts';
import {
  appendOnlyRestSemantics,
  bareSftpSemantics,
  restSemantics,
  s3Semantics,
  sftpSemantics,
  type Semantics,
} from '../src/storage/semantics.ts';
import type { Storage } from '../src/storage/storage.ts';
import { isFullBudget } from './budget.ts';
import { cheapKey, jobContext } from './support/engine.ts';
import { prove } from './support/proof.ts';

const program = async (storage: Storage): Promise<void> => {
  // A polynomial of its own would be most of the time.
  const chunkerPolynomial = '3da3358b4dc173';
  await createRepository({ storage, clock: systemClock, key: cheapKey, version: 2, chunkerPolynomial });
};

/** Of uncertain states, so many are tried for each call. */
const seeds = Array.from({ length: isFullBudget ? 24 : 4 }, (_, n) => n + 1);

for (const semantics of [s3Semantics, sftpSemantics, bareSftpSemantics, restSemantics, appendOnlyRestSemantics]) {
  test(`an init that is cut off on ${semantics.name} opens, can be run again, or says what is to be done`, async (context) => {
    const start = { image: new Map<string, Uint8Array>(), semantics };
    const calls = await countOperations(start, program);
    const found = new Map<string, number>();
    for (const { point, fate } of everyCut(calls)) {
      const outcome = await cutAt(start, point, program);
      const where = `${semantics.name}: cut ${point.mode} call ${point.operation} of ${calls}`;
      const lefts = [outcome.survivors(fate), ...seeds.map((seed) => outcome.survivors({ seed }))];
      for (const left of [...lefts, ...seeds.map((seed) => outcome.afterPowerLoss(seed))]) {
        const way = await wayOut(left, semantics, where);
        found.set(way, (found.get(way) ?? 0) + 1);
      }
    }
    prove(context, {
      claim: `an init that is cut off on ${semantics.name} opens, can be run again, or says what is to be done`,
      count: [...found].map(([way, times]) => `${times} × ${way}`).join(', '),
    });
  });
}

/** What made of it a repository that opens. */
async function wayOut(left: MemoryStorage, semantics: Semantics, where: string): Promise<string> {
  const code = await codeOf(open(left));
  if (code === undefined) return 'it opened';
  assert.ok(['no-repository', 'damaged', 'wrong-password'].includes(code), `${where}: ${code}`);
  const again = await codeOf(program(left));
  if (again === undefined) return await opens(left, 'init again', where);
  assert.equal(again, 'refused', where);
  if (semantics === appendOnlyRestSemantics) return 'refused: who runs the server removes what is there';
  const isTorn = left.durable.has('config') || semantics === bareSftpSemantics;
  if ((await codeOf(repaired(left))) === undefined) return await opens(left, 'repair config', where);
  assert.ok(isTorn, `${where}: a key that can’t be opened`);
  for await (const { key } of left.list('')) await left.remove(key);
  await program(left);
  return await opens(left, 'all removed, and init again', where);
}

async function opens(left: Storage, way: string, where: string): Promise<string> {
  assert.equal(await codeOf(open(left)), undefined, `${where}: ${way}`);
  return way;
}

async function open(storage: Storage): Promise<void> {
  await using _repository = await jobContext(storage).access.open();
}

async function repaired(storage: Storage): Promise<void> {
  await repairConfig({ storage, key: searchKey(storage, cheapKey.password), mode: 'execute', onPlan: () => undefined });
}

async function codeOf(doing: Promise<unknown>): Promise<string | undefined> {
  try {
    await doing;
    return undefined;
  } catch (error) {
    assert.ok(error instanceof HoldfastError, String(error));
    return error.code;
  }
}
