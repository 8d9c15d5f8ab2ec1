import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { hasCode } from '../src/errors/error.ts';
import type { JobContext } from '../src/job/job.ts';
import type { MemoryStorage } from '../src/storage/memory.ts';
import type { Cut } from '../src/storage/powercut.ts';
import { appendOnlyRestSemantics, bareSftpSemantics, s3Semantics, sftpSemantics } from '../src/storage/semantics.ts';
import { anySnapshot, listSnapshots } from '../src/snapshot/snapshots.ts';
import type { Storage } from '../src/storage/storage.ts';
import { assertHealthy, newFindings } from './support/crash-judge.ts';
import { longOperations, operations } from './support/crash-operations.ts';
import { examine, jobContext, type Health } from './support/engine.ts';
import { pruneAll } from './support/operations.ts';
import { prove } from './support/proof.ts';
import { cutOff, everyKind, firstSeed, trials, type Scene, type Trial } from './support/remote-trial.ts';
import { indexRepaired, packsRepaired, snapshotsRepaired } from './support/repairing.ts';
import { removeLocks } from './support/stored-in.ts';

/**
 * A storage elsewhere loses its power while an operation runs. What it has forced to disk is there; of the rest
 * anything may be gone or torn. Where nothing that counts can be lost, nothing is; elsewhere check finds what is, and
 * the repairs leave a sound repository.
 */
const long = { timeout: 3_400_000 };

/** Where nothing is forced to disk, what removes what it has just replaced can cost data. */
const replacing = new Set([
  'key passwd',
  'tag',
  'prune',
  'forget --prune',
  'repair packs',
  'repair snapshots --forget',
]);

for (const operation of [...operations, ...longOperations]) {
  test(
    `a server that loses its power in ${operation.name}: what is lost is found and repaired`,
    long,
    async (context) => {
      let [losses, found] = [0, 0];
      for (const trial of await trials(operation, everyKind)) {
        const isTried = ({ fate }: Cut): boolean => fate === 'lost';
        losses += await cutOff(trial, isTried, async ({ afterPowerLoss }, { point }, where) => {
          found += await judgePowerLoss(trial, afterPowerLoss(firstSeed + point.operation), where);
        });
      }
      prove(context, {
        claim: `a server that loses its power in ${operation.name}: what is lost is found and repaired`,
        count: `${losses} losses of power, check found something after ${found} of them`,
        seeds: [firstSeed],
      });
    },
  );
}

/** Resolves with 1 if something was found. */
async function judgePowerLoss({ scene, semantics }: Trial, left: MemoryStorage, where: string): Promise<0 | 1> {
  const { operation, before } = scene;
  const isForced = semantics === s3Semantics || semantics === sftpSemantics || semantics === appendOnlyRestSemantics;
  const risks = semantics === bareSftpSemantics && replacing.has(operation.name);
  const now = await opened(left);
  if (now === undefined) {
    assert.ok(risks && operation.name === 'key passwd', `${where}: no key is left`);
    return 1;
  }
  const isFound = now.findings.length > 0;
  if (!operation.mends && (isForced || (!isFound && !risks))) assertHealthy(now, before, operation, where);
  if (isForced) return 0;
  await repairAll(left, scene, risks || operation.mayRename || !operation.mends ? 'forget' : 'keep');
  const again = await examine(left);
  if (risks) assert.deepEqual(newFindings(again, before), [], `${where}, repaired`);
  else assertHealthy(again, before, operation, `${where}, repaired`);
  return isFound ? 1 : 0;
}

/** undefined where no key opens it any more. */
async function opened(storage: Storage): Promise<Health | undefined> {
  try {
    return await examine(storage);
  } catch (error) {
    assert.ok(hasCode(error, 'wrong-password', 'damaged'), inspect(error));
    return undefined;
  }
}

/** In the order that the commands themselves ask for. */
async function repairAll(storage: Storage, { clock, dir }: Scene, originals: 'keep' | 'forget'): Promise<void> {
  const context = jobContext(storage, clock);
  await removeLocks(storage);
  await indexRepaired(context, 'all');
  await packsRepaired(context, dir);
  const torn = await tornSnapshots(storage);
  if (torn.length > 0) await snapshotsRepaired(context, 'forget', 'execute', torn);
  if (storage.capabilities.ownPrefixes) await takeBack(context);
  await snapshotsRepaired(context, originals);
}

/** What an earlier prune has put off and snapshots need again; where something else is missing it goes no further. */
async function takeBack(context: JobContext): Promise<void> {
  try {
    await pruneAll(context, { way: 'deferred' });
  } catch (error) {
    assert.ok(hasCode(error, 'blob-missing'), inspect(error));
  }
}

/** They go only by their full names. */
async function tornSnapshots(storage: Storage): Promise<readonly string[]> {
  await using repository = await jobContext(storage).access.open();
  const found = await listSnapshots(repository, anySnapshot);
  return found.flatMap((one) => (one.kind === 'failed' ? [one.name] : []));
}
