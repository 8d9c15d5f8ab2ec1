import * as fs from 'node:fs';
import assert from 'node:assert/strict';
import { inventoryOf, type Inventory } from '../../scripts/first-backup/inventory.ts';
import { Random } from '../../scripts/first-backup/random.ts';
import type { FileId } from '../../src/bytes/ids.ts';
import { hostName } from '../../src/host/users.ts';
import type { JobContext } from '../../src/job/job.ts';
import { openLocal } from '../../src/storage/local.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { backupFolder, cheapKey, jobContext, newRepository } from './engine.ts';
import type { RepositoryAt } from './holdfast.ts';
import type { TempDir } from './temp-dir.ts';

/** Where commands are killed: a history of three versions, and a copy of its repository to work on. */
export interface Stage {
  readonly dir: TempDir;
  readonly place: Place;
  readonly history: readonly Version[];
}

/** Where the copies stand. */
export interface Place {
  /** The repository at hand: a fresh copy for each kill. */
  readonly at: RepositoryAt;
  /** What the program needs to get there. */
  readonly env: Readonly<Record<string, string>>;
  readonly open: () => Promise<Storage>;
  /** Then fewer things are done after each kill: every request costs. */
  readonly isElsewhere: boolean;
  /** Makes a fresh copy of the repository in this folder. */
  readonly copyAnew: (original: string) => Promise<void>;
}

/** One backup of the folder `data`. */
export interface Version {
  readonly id: FileId;
  readonly inventory: Inventory;
}

/** `share` of the bytes that large files have by default. */
export async function killStage(dir: TempDir, place: Place = localPlace(dir), share = 1): Promise<Stage> {
  return { dir, place, history: await history(dir, share) };
}

function localPlace(dir: TempDir): Place {
  const repository = dir.file('copy');
  return {
    at: { repository, password: cheapKey.password },
    env: {},
    isElsewhere: false,
    open: async () => await openLocal(repository),
    copyAnew: async (original) => {
      fs.rmSync(repository, { recursive: true, force: true });
      fs.cpSync(original, repository, { recursive: true, mode: fs.constants.COPYFILE_FICLONE });
    },
  };
}

/** Three backups of a folder that changes in between; a fourth state of it is not stored yet. */
async function history(dir: TempDir, share: number): Promise<readonly Version[]> {
  await using storage = await openLocal(dir.file('repository'), { create: true });
  await newRepository(storage);
  const random = new Random(20260801);
  const versions: Version[] = [];
  for (const number of [1, 2, 3]) {
    change(dir, random, number, share);
    const { snapshot } = await backupFolder(jobContext(storage), dir.file('data'));
    assert.ok(snapshot);
    versions.push({ id: snapshot, inventory: inventoryOf(dir.file('data')) });
  }
  change(dir, random, 4, share);
  return versions;
}

function change(dir: TempDir, random: Random, version: number, share: number): void {
  fs.mkdirSync(dir.file('data/notes'), { recursive: true });
  for (let n = 0; n < 20; n += 1) {
    fs.writeFileSync(dir.file(`data/notes/${version}-${n}`), random.prose(100 + random.below(10_000)));
  }
  for (let n = 0; n < 4; n += 1) fs.writeFileSync(dir.file(`data/large-${n}`), random.bytes(600_000 * share));
  fs.writeFileSync(dir.file(`data/only in ${version}`), random.bytes(900_000 * share));
  fs.rmSync(dir.file(`data/only in ${version - 1}`), { force: true });
}

/** As the program on this machine works on it: a lock of its own dead process is stale. */
export function contextHere(storage: Storage): JobContext {
  const context = jobContext(storage);
  return {
    ...context,
    access: { ...context.access, holder: { ...context.access.holder, hostname: hostName() } },
  };
}
