import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStorage } from '../src/storage/memory.ts';
import { countOperations, cutAt, everyCut, PowerCut, type Cut } from '../src/storage/powercut.ts';
import type { Storage } from '../src/storage/storage.ts';
import { budget } from './budget.ts';
import { assertHealthy } from './support/crash-judge.ts';
import { history, operations } from './support/crash-operations.ts';
import { examine, jobContext } from './support/engine.ts';
import { prove } from './support/proof.ts';
import { checkByRestic, removeLocks } from './support/stored-in.ts';
import { tempDir } from './support/temp-dir.ts';

/**
 * The power goes at the k-th call of the storage, for every k, before, during and after it. Whatever an operation was
 * doing: no snapshot that it wasn't told to remove is lost, our check has nothing to complain of, and the same
 * operation run again succeeds.
 */
for (const operation of operations) {
  test(`a power cut at any moment of ${operation.name} loses nothing`, { timeout: 600_000 }, async (context) => {
    await using dir = await tempDir();
    const { image, clock } = await history(dir, operation);
    const start = { image };
    const program = async (storage: Storage): Promise<void> => {
      await operation.run(jobContext(storage, clock), dir);
    };
    const before = await examine(new MemoryStorage(start.image));
    const count = await countOperations(start, program);
    let cuts = 0;
    for (const { point, fate } of cutsToTry(count)) {
      const { reached, error, survivors } = await cutAt(start, point, program);
      const where = `${operation.name}: power cut ${point.mode} call ${point.operation} of ${count}, ${JSON.stringify(fate)}`;
      if (!reached) continue;
      assert.ok(error === undefined || error instanceof PowerCut, `${where}: ${String(error)}`);
      cuts += 1;
      const left = survivors(fate);
      assertHealthy(await examine(left), before, operation, where);
      await removeLocks(left);
      if (cuts % budget.crashesPerRerun === 0) {
        await program(left);
        const again = await examine(left);
        assertHealthy(again, before, operation, `${where}, run again`);
        assert.equal(again.snapshots.length, operation.leaves ?? again.snapshots.length, where);
      }
      if (cuts % budget.crashesPerResticCheck === 1) await checkByRestic(context, left, where);
    }
    assert.ok(cuts >= (count * budget.cutsPerCall) / 2, `${cuts} cuts of ${count} calls were reached`);
    prove(context, { claim: `a power cut at any moment of ${operation.name} loses nothing`, count: `${cuts} cuts` });
  });
}

/** Every call is tried; in a sample the ways take turns. */
function cutsToTry(calls: number): readonly Cut[] {
  const ways = [...everyCut(calls)];
  const each = ways.length / calls;
  return ways.filter((_, i) => (i - Math.floor(i / each)) % each < budget.cutsPerCall);
}
