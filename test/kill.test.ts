import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Random } from '../scripts/first-backup/random.ts';
import { differences, inventoryOf, type Inventory } from '../scripts/first-backup/inventory.ts';
import type { FileId } from '../src/bytes/ids.ts';
import { openLocal } from '../src/storage/local.ts';
import { seededRandom } from '../src/storage/seeded.ts';
import { budget } from './budget.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import {
  backupFolder,
  cheapKey,
  contentsIn,
  contentsOf,
  jobContext,
  newRepository,
  restoreSnapshot,
} from './support/engine.ts';
import { holdfastOk, runHoldfast, type RepositoryAt } from './support/holdfast.ts';
import { runAndKill } from './support/killing.ts';
import { prove } from './support/proof.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';

/**
 * The real program is killed by SIGKILL at moments spread over its whole run, each at random within its share. Then no
 * snapshot that it was not told to remove is lost, each restores byte for byte, `check --read-data` has nothing to
 * complain of once the lock is gone, and the same command run again succeeds.
 */
interface Victim {
  readonly name: string;
  /** Of a hundred kills. */
  readonly share: number;
  readonly args: (stage: Stage) => readonly string[];
  /** What of the history must be there afterwards; all of it without this. */
  readonly keeps?: (position: number) => boolean;
  /** Before each kill. */
  readonly prepare?: (stage: Stage) => Promise<void>;
  /** After the command was run again. */
  readonly verify?: (stage: Stage) => void;
}

interface Stage {
  readonly dir: TempDir;
  /** The repository at hand: a fresh copy for each kill. */
  readonly at: RepositoryAt;
  readonly history: readonly Version[];
}

interface Version {
  readonly id: FileId;
  readonly inventory: Inventory;
}

const isLast = (position: number): boolean => position === 2;

const victims: readonly Victim[] = [
  { name: 'backup', share: 45, args: ({ dir }) => ['backup', dir.file('data')] },
  { name: 'forget', share: 10, args: () => ['forget', '--keep-last', '1'], keeps: isLast },
  {
    name: 'forget --prune',
    share: 10,
    args: () => ['forget', '--keep-last', '1', '--prune', '--max-unused', '0'],
    keeps: isLast,
  },
  {
    name: 'prune',
    share: 20,
    prepare: async ({ dir, history }) => {
      for (const { id } of history.slice(0, 2)) fs.rmSync(dir.file('copy/snapshots', id));
    },
    args: () => ['prune', '--max-unused', '0'],
    keeps: isLast,
  },
  {
    name: 'restore',
    share: 10,
    prepare: async ({ dir }) => fs.rmSync(dir.file('target'), { recursive: true, force: true }),
    args: ({ dir, history }) => ['restore', history[1]?.id ?? 'latest', '--target', dir.file('target')],
    verify: ({ dir, history: [, second] }) =>
      assert.deepEqual(
        differences(second?.inventory ?? new Map(), inventoryOf(join(dir.file('target'), dir.file('data')))),
        [],
      ),
  },
  {
    name: 'key passwd',
    share: 5,
    prepare: async ({ dir }) => fs.writeFileSync(dir.file('password'), cheapKey.password),
    args: ({ dir }) => ['key', 'passwd', '--new-password-file', dir.file('password')],
  },
];

const firstSeed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Of these, one in so many is checked by restic too. */
const killsPerResticCheck = 5;

for (const victim of victims) {
  test(`a kill at any moment of ${victim.name} loses nothing`, { timeout: 3_000_000 }, async (context) => {
    await using dir = await tempDir();
    const stage = {
      dir,
      at: { repository: dir.file('copy'), password: cheapKey.password },
      history: await history(dir),
    };
    const kills = Math.max(1, Math.round((budget.kills * victim.share) / 100));
    const durationMs = await unkilledMs(victim, stage);
    const random = seededRandom(firstSeed);
    let early = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const fraction = (kill + random()) / kills;
      const where = `${victim.name}, seed ${firstSeed}, kill ${kill} at ${fraction.toFixed(4)} of ${durationMs.toFixed(0)} ms`;
      await prepare(victim, stage);
      const { fate, code, output } = await runAndKill(stage.at, victim.args(stage), fraction * durationMs);
      if (fate === 'ended') assert.equal(code, 0, `${where}: ${output}`);
      else early += 1;
      const byRestic = kill % killsPerResticCheck === killsPerResticCheck - 1;
      await assertUnharmed(stage, victim, where);
      if (byRestic) await checkByRestic(context, stage.at, where);
      await assertGoesOn(stage, victim, where);
    }
    context.diagnostic(`${early} of ${kills} kills came before the end of the run of ${durationMs.toFixed(0)} ms`);
    assert.ok(early >= Math.floor(kills / 4), `only ${early} of ${kills} kills came in time`);
    prove(context, {
      claim: `a kill at any moment of ${victim.name} loses nothing`,
      count: `${kills} kills`,
      seeds: [firstSeed],
    });
  });
}

/** Three backups of a folder that changes in between; a fourth state of it is not stored yet. */
async function history(dir: TempDir): Promise<readonly Version[]> {
  await using storage = await openLocal(dir.file('repository'), { create: true });
  await newRepository(storage);
  const random = new Random(20260801);
  const versions: Version[] = [];
  for (const number of [1, 2, 3]) {
    change(dir, random, number);
    const { snapshot } = await backupFolder(jobContext(storage), dir.file('data'));
    assert.ok(snapshot);
    versions.push({ id: snapshot, inventory: inventoryOf(dir.file('data')) });
  }
  change(dir, random, 4);
  return versions;
}

function change(dir: TempDir, random: Random, version: number): void {
  fs.mkdirSync(dir.file('data/notes'), { recursive: true });
  for (let n = 0; n < 20; n += 1) {
    fs.writeFileSync(dir.file(`data/notes/${version}-${n}`), random.prose(100 + random.below(10_000)));
  }
  for (let n = 0; n < 4; n += 1) fs.writeFileSync(dir.file(`data/large-${n}`), random.bytes(600_000));
  fs.writeFileSync(dir.file(`data/only in ${version}`), random.bytes(900_000));
  fs.rmSync(dir.file(`data/only in ${version - 1}`), { force: true });
}

async function unkilledMs(victim: Victim, stage: Stage): Promise<number> {
  await prepare(victim, stage);
  const { code, output, milliseconds } = await runAndKill(stage.at, victim.args(stage), 60_000);
  assert.equal(code, 0, `${victim.name}: ${output}`);
  return milliseconds;
}

async function prepare(victim: Victim, stage: Stage): Promise<void> {
  fs.rmSync(stage.at.repository, { recursive: true, force: true });
  fs.cpSync(stage.dir.file('repository'), stage.at.repository, {
    recursive: true,
    mode: fs.constants.COPYFILE_FICLONE,
  });
  await victim.prepare?.(stage);
}

async function assertUnharmed(stage: Stage, victim: Victim, where: string): Promise<void> {
  await holdfastOk(stage.at, ['unlock']);
  const { code, stdout, stderr } = await runHoldfast(stage.at, ['check', '--read-data']);
  assert.equal(code, 0, `${where}: ${stderr}${stdout.toString()}`);
  await assertRestores(stage, keptBy(victim, stage), where);
}

async function assertGoesOn(stage: Stage, victim: Victim, where: string): Promise<void> {
  await holdfastOk(stage.at, victim.args(stage));
  const listed = await snapshotsIn(stage.at);
  for (const { id } of keptBy(victim, stage)) assert.ok(listed.includes(id), `${where}, run again: ${id} is lost`);
  victim.verify?.(stage);
}

function keptBy({ keeps }: Victim, { history }: Stage): readonly Version[] {
  return history.filter((_, position) => keeps?.(position) ?? true);
}

/** Every byte of each version is there; one of them is restored, with every attribute. */
async function assertRestores({ dir, at }: Stage, versions: readonly Version[], where: string): Promise<void> {
  await using storage = await openLocal(at.repository);
  for (const { id, inventory } of versions) {
    const found = await contentsOf(jobContext(storage), id, dir.file('data'));
    assert.deepEqual(found, contentsIn(inventory), `${where}: the contents of snapshot ${id}`);
  }
  const target = dir.file('restored');
  fs.rmSync(target, { recursive: true, force: true });
  const { id, inventory } = versions.at(Math.floor(Math.random() * versions.length)) ?? assert.fail();
  await restoreSnapshot(jobContext(storage), id, target);
  assert.deepEqual(differences(inventory, inventoryOf(join(target, dir.file('data')))), [], where);
}

async function snapshotsIn({ repository }: RepositoryAt): Promise<readonly string[]> {
  await using storage = await openLocal(repository);
  return await Array.fromAsync(storage.list('snapshots/'), ({ key }) => key.slice('snapshots/'.length));
}

async function checkByRestic(context: TestContext, at: RepositoryAt, where: string): Promise<void> {
  const reason = withoutRestic('0.19.1');
  if (reason !== false) return context.diagnostic(`not checked by restic: ${reason}`);
  await resticOk('0.19.1', at, ['unlock']);
  assert.match(await resticOk('0.19.1', at, ['check', '--read-data']), /no errors were found/, where);
}
