import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { differences, inventoryOf } from '../../scripts/first-backup/inventory.ts';
import { systemClock } from '../../src/clock/clock.ts';
import { hasCode } from '../../src/errors/error.ts';
import { unlock } from '../../src/job/unlock.ts';
import { seededRandom } from '../../src/storage/seeded.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { budget } from '../budget.ts';
import { resticOk, withoutRestic } from '../servers/restic.ts';
import { contentsIn, contentsOf, restoreSnapshot } from './engine.ts';
import { holdfastOk, servedOk } from './holdfast.ts';
import { contextHere, killStage, type Stage, type Version } from './kill-stage.ts';
import { runAndKill, type KilledRun } from './killing.ts';
import { checked } from './operations.ts';
import { prove } from './proof.ts';
import { tempDir } from './temp-dir.ts';

/**
 * The real program is killed by SIGKILL at moments spread over its whole run, each at random within its share. Then no
 * snapshot that it was not told to remove is lost, each restores byte for byte, a check of all data has nothing to
 * complain of once the lock is gone, and the same command run again succeeds.
 */
export interface Victim {
  readonly name: string;
  /** Of a hundred kills. */
  readonly share: number;
  readonly args: (stage: Stage) => readonly string[];
  /** What of the history must be there afterwards; all of it without this. */
  readonly keeps?: (position: number) => boolean;
  /** Before each kill. */
  readonly prepare?: (stage: Stage) => Promise<void>;
  /** What the program needs beside what gets it to the repository. */
  readonly env?: (stage: Stage) => Readonly<Record<string, string>>;
  /** After the command was run again. */
  readonly verify?: (stage: Stage) => void;
}

export const longestKillingMs = 3_500_000;

const firstSeed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Of these, one in so many is checked by restic too, and the last one. */
const killsPerResticCheck = 5;
/** How long a run takes is measured again after so many: other work on the machine comes and goes. */
const killsPerMeasurement = 25;

export async function assertKillsLoseNothing(context: TestContext, victim: Victim): Promise<void> {
  await using dir = await tempDir();
  await killOften(context, victim, await killStage(dir), budget.kills);
}

/** The share of so many kills, on this stage. */
export async function killOften(context: TestContext, victim: Victim, stage: Stage, of: number): Promise<void> {
  const kills = Math.max(1, Math.round((of * victim.share) / 100));
  const random = seededRandom(firstSeed);
  let [durationMs, early] = [0, 0];
  for (let kill = 0; kill < kills; kill += 1) {
    if (kill % killsPerMeasurement === 0) durationMs = await unkilledMs(victim, stage);
    const fraction = (kill + random()) / kills;
    const where = `${victim.name}, seed ${firstSeed}, kill ${kill} at ${fraction.toFixed(4)} of ${durationMs.toFixed(0)} ms`;
    await prepare(victim, stage);
    const { fate, code, output } = await runVictim(victim, stage, fraction * durationMs);
    if (fate === 'ended') assert.equal(code, 0, `${where}: ${output}`);
    else early += 1;
    const byRestic = kill % killsPerResticCheck === killsPerResticCheck - 1 || kill === kills - 1;
    await assertUnharmed(stage, victim, where);
    if (byRestic) await checkByRestic(context, stage, where);
    await assertGoesOn(stage, victim, where);
  }
  context.diagnostic(
    `${early} of ${kills} kills came before the end of the run, at last of ${durationMs.toFixed(0)} ms`,
  );
  assert.ok(early >= Math.floor(kills / 4), `only ${early} of ${kills} kills came in time`);
  prove(context, {
    claim: `a kill at any moment of ${victim.name} loses nothing`,
    count: `${kills} kills, ${early} of them before its end`,
    seeds: [firstSeed],
  });
}

async function unkilledMs(victim: Victim, stage: Stage): Promise<number> {
  await prepare(victim, stage);
  const { code, output, milliseconds } = await runVictim(victim, stage, 300_000);
  assert.equal(code, 0, `${victim.name}: ${output}`);
  return milliseconds;
}

async function runVictim(victim: Victim, stage: Stage, afterMs: number): Promise<KilledRun> {
  const { at, env } = stage.place;
  return await runAndKill(at, victim.args(stage), { afterMs, env: { ...env, ...victim.env?.(stage) } });
}

async function prepare(victim: Victim, stage: Stage): Promise<void> {
  await stage.place.copyAnew(stage.dir.file('repository'));
  await victim.prepare?.(stage);
}

/** What is verified is verified in this process: a start of the program for each step would be most of the time. */
async function assertUnharmed(stage: Stage, victim: Victim, where: string): Promise<void> {
  await using storage = await stage.place.open();
  await assertSound(storage, where, stage.place.isElsewhere ? looksElsewhere : 1);
  await assertRestores(stage, storage, keptBy(victim, stage), where);
}

/** A server may still carry out what the dead program asked of it: then a lock comes once more. */
const looksElsewhere = 5;
const lookPauseMs = 200;

async function assertSound(storage: Storage, where: string, looks: number): Promise<void> {
  for (let look = 1; ; look += 1) {
    if (look > 1) await systemClock.sleep(lookPauseMs);
    await unlock(contextHere(storage), 'stale');
    const left = await keysIn(storage, 'locks/');
    if (left.length > 0 && look < looks) continue;
    assert.deepEqual(left, [], `${where}: a lock is left`);
    try {
      const { errors, messages } = await checked(contextHere(storage), 'data');
      return assert.deepEqual([errors, messages], [0, []], where);
    } catch (error) {
      if (look === looks || !hasCode(error, 'locked')) throw error;
    }
  }
}

async function assertGoesOn(stage: Stage, victim: Victim, where: string): Promise<void> {
  const { at, env, open } = stage.place;
  const again = stage.place.isElsewhere ? servedOk : holdfastOk;
  await again(at, victim.args(stage), { env: { ...env, ...victim.env?.(stage) } });
  await using storage = await open();
  const listed = await keysIn(storage, 'snapshots/');
  for (const { id } of keptBy(victim, stage)) {
    assert.ok(listed.includes(`snapshots/${id}`), `${where}, run again: ${id} is lost`);
  }
  victim.verify?.(stage);
}

function keptBy({ keeps }: Victim, { history }: Stage): readonly Version[] {
  return history.filter((_, position) => keeps?.(position) ?? true);
}

/** Every byte of each version is there; one of them is restored, with every attribute. Elsewhere check read all bytes. */
async function assertRestores(
  { dir, place }: Stage,
  storage: Storage,
  versions: readonly Version[],
  where: string,
): Promise<void> {
  for (const { id, inventory } of place.isElsewhere ? [] : versions) {
    const found = await contentsOf(contextHere(storage), id, dir.file('data'));
    assert.deepEqual(found, contentsIn(inventory), `${where}: the contents of snapshot ${id}`);
  }
  const target = dir.file('restored');
  fs.rmSync(target, { recursive: true, force: true });
  const { id, inventory } = versions.at(Math.floor(Math.random() * versions.length)) ?? assert.fail();
  await restoreSnapshot(contextHere(storage), id, target);
  assert.deepEqual(differences(inventory, inventoryOf(join(target, dir.file('data')))), [], where);
}

async function keysIn(storage: Storage, prefix: string): Promise<readonly string[]> {
  return await Array.fromAsync(storage.list(prefix), ({ key }) => key);
}

async function checkByRestic(context: TestContext, { place: { at, env } }: Stage, where: string): Promise<void> {
  const reason = withoutRestic('0.19.1');
  if (reason !== false) return context.diagnostic(`not checked by restic: ${reason}`);
  assert.match(await resticOk('0.19.1', at, ['check', '--read-data'], { env }), /no errors were found/, where);
}
