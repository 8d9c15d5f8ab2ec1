import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { hasCode } from '../src/errors/error.ts';
import { FaultyStorage } from '../src/storage/fault.ts';
import type { MemoryStorage } from '../src/storage/memory.ts';
import { countOperations, type Cut, type CutOutcome } from '../src/storage/powercut.ts';
import { restSemantics, s3Semantics } from '../src/storage/semantics.ts';
import type { Storage } from '../src/storage/storage.ts';
import { budget } from './budget.ts';
import { assertHealthy } from './support/crash-judge.ts';
import { longOperations, operations } from './support/crash-operations.ts';
import { examine } from './support/engine.ts';
import { prove } from './support/proof.ts';
import { chosen, cutOff, everyKind, trials } from './support/remote-trial.ts';
import { checkByRestic, removeLocks } from './support/stored-in.ts';

/**
 * The same as crash.test.ts, on storages that promise what S3, an SFTP server or a REST server does and nothing more.
 * The client dies and the server lives: what the dead client had asked for comes true at once, never, or only while
 * the next one is at work.
 */
const long = { timeout: 3_400_000 };

for (const operation of [...operations, ...longOperations]) {
  test(`a client that dies at any moment of ${operation.name} loses nothing elsewhere`, long, async (context) => {
    let cuts = 0;
    for (const trial of await trials(operation, everyKind)) {
      const { scene, semantics, program } = trial;
      cuts += await cutOff(
        trial,
        () => true,
        async ({ survivors }, { fate }, where) => {
          const left = survivors(fate);
          if (!operation.mends) assertHealthy(await examine(left), scene.before, operation, where);
          await removeLocks(left);
          await program(left);
          const again = await examine(left);
          assertHealthy(again, scene.before, operation, `${where}, run again`);
          const isWhole = again.findings.length === 0 && semantics === s3Semantics;
          if (isWhole && Math.floor(trial.random() * budget.crashesPerResticCheck) === 0)
            await checkByRestic(context, left, where);
        },
      );
    }
    prove(context, { claim: `a client that dies in ${operation.name} loses nothing`, count: `${cuts} deaths` });
  });
}

/** In a full run a late effect comes true at so many moments of what comes next. */
const lateMoments = 8;

for (const operation of [...operations, ...longOperations]) {
  test(
    `what a dead client asked for in ${operation.name} harms nobody when it comes true late`,
    long,
    async (context) => {
      let late = 0;
      for (const trial of await trials(operation, [s3Semantics, restSemantics])) {
        const { scene, semantics, program, random } = trial;
        const isTried = ({ point, fate }: Cut): boolean => point.mode === 'during' && fate === 'lost';
        await cutOff(trial, isTried, async ({ survivors, underWay }, _, where) => {
          if (underWay.length === 0) return;
          const plain = survivors('lost');
          await removeLocks(plain);
          const calls = await countOperations({ image: plain.durable, semantics }, program);
          for (const moment of chosen(callNumbers(calls), Math.min(lateMoments, budget.remoteCuts), random)) {
            const left = survivors('lost');
            await removeLocks(left);
            const faultFor = ({ number }: { readonly number: number }): undefined => {
              if (number === moment) arriveIn(left, underWay);
            };
            const at = `${where}, late at call ${moment} of ${calls}`;
            await assertRunsOrRefuses(new FaultyStorage(left, { faultFor }), program, at);
            await removeLocks(left);
            await program(left);
            assertHealthy(await examine(left), scene.before, operation, at);
            late += 1;
          }
        });
      }
      prove(context, {
        claim: `what a dead client asked for in ${operation.name} may come late`,
        count: `${late} times`,
      });
    },
  );
}

function callNumbers(calls: number): readonly number[] {
  return Array.from({ length: calls }, (_, n) => n + 1);
}

/** A name that is taken by then stays as it is. */
function arriveIn(storage: MemoryStorage, underWay: CutOutcome['underWay']): void {
  for (const effect of underWay)
    if (effect.bytes === undefined || !storage.visible.has(effect.key)) storage.arrive(effect);
}

const cameMeanwhile = /which came meanwhile: nothing was changed$/;

/**
 * The next may meet a lock that comes late, miss what another has removed under its eyes, or, where it trusts a list only
 * when a second one agrees, see more in the second: it says so, and has changed nothing.
 */
async function assertRunsOrRefuses(
  storage: Storage,
  program: (storage: Storage) => Promise<void>,
  where: string,
): Promise<void> {
  try {
    await program(storage);
  } catch (error) {
    const isRefusal = hasCode(error, 'locked', 'storage-not-found') || cameMeanwhile.test(String(error));
    assert.ok(isRefusal, `${where}: ${inspect(error)}`);
  }
}
