import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultyStorage, seededFaults, type Fault, type Operation as StorageOperation } from '../src/storage/fault.ts';
import { storageAt } from '../src/storage/powercut.ts';
import type { Storage } from '../src/storage/storage.ts';
import { isFullBudget } from './budget.ts';
import { assertHealthy } from './support/crash-judge.ts';
import { longOperations, operations } from './support/crash-operations.ts';
import { examine } from './support/engine.ts';
import { endOf, retrying } from './support/fault-trial.ts';
import { prove } from './support/proof.ts';
import { everyKind, firstSeed, trials, type Trial } from './support/remote-trial.ts';
import { removeLocks } from './support/stored-in.ts';

/**
 * The same as faults.test.ts, on storages that promise what S3, an SFTP server or a REST server does and nothing more,
 * in every operation. It ends in bounded time, and nothing is lost.
 */
interface Disturbance {
  readonly name: string;
  readonly rates: Partial<Readonly<Record<Fault, number>>>;
  readonly isHit?: (operation: StorageOperation) => boolean;
  /** What is wrong whenever it is read is damage: who repairs can't tell them apart. */
  readonly often?: 'once an object';
  readonly seenBy: (storage: Storage) => Storage;
}

const disturbances: readonly Disturbance[] = [
  {
    name: 'errors, with and without their effect',
    rates: { 'error': 0.03, 'lost-answer': 0.03 },
    seenBy: (storage) => storage,
  },
  {
    name: 'errors and stalls, tried again',
    rates: { 'error': 0.1, 'lost-answer': 0.1, 'stall': 0.05 },
    seenBy: retrying,
  },
  {
    name: 'answers that are cut off or have wrong bits',
    rates: { truncate: 0.03, flip: 0.03 },
    isHit: ({ kind }) => kind === 'get',
    often: 'once an object',
    seenBy: (storage) => storage,
  },
];

const seeds = Array.from({ length: isFullBudget ? 10 : 1 }, (_, n) => firstSeed + n);
const long = { timeout: 3_400_000 };

for (const operation of [...operations, ...longOperations]) {
  test(
    `${operation.name} loses nothing elsewhere on a storage that errs, stalls and reads wrong`,
    long,
    async (context) => {
      let [runs, faults] = [0, 0];
      for (const trial of await trials(operation, everyKind)) {
        for (const disturbance of disturbances) {
          for (const seed of seeds) {
            faults += await disturb(trial, disturbance, seed);
            runs += 1;
          }
        }
      }
      prove(context, {
        claim: `${operation.name} loses nothing on a storage elsewhere that errs, stalls and reads wrong`,
        count: `${runs} runs, ${faults} faults`,
        seeds,
      });
    },
  );
}

/** How many faults there were. */
async function disturb({ scene, semantics, program }: Trial, disturbance: Disturbance, seed: number): Promise<number> {
  const { operation, image, before } = scene;
  const { name, rates, isHit = () => true, often, seenBy } = disturbance;
  const where = `${operation.name} on ${semantics.name}: ${name}, seed ${seed}`;
  const storage = storageAt({ image, semantics });
  const chance = seededFaults(seed, rates);
  const hit = new Set<string>();
  let faults = 0;
  const faultFor = (operated: StorageOperation): Fault | undefined => {
    const fault = isHit(operated) && !(often && hit.has(operated.key)) ? chance(operated) : undefined;
    if (fault === undefined) return undefined;
    faults += 1;
    hit.add(operated.key);
    return fault;
  };
  await endOf(program(seenBy(new FaultyStorage(storage, { faultFor }))), where);
  if (!operation.mends) assertHealthy(await examine(storage), before, operation, where);
  await removeLocks(storage);
  await program(storage);
  const again = await examine(storage);
  assertHealthy(again, before, operation, `${where}, run again`);
  if (operation.leaves !== undefined) assert.equal(again.snapshots.length, operation.leaves, where);
  return faults;
}
