import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { inventoryOf } from '../../scripts/first-backup/inventory.ts';
import type { FileId } from '../../src/bytes/ids.ts';
import { silent } from '../../src/events/events.ts';
import type { JobContext } from '../../src/job/job.ts';
import { lockRepository, type RepositoryLock } from '../../src/repository/lock.ts';
import { pruneJournalFolder } from '../../src/repository/own-object.ts';
import { loadSnapshot, saveSnapshot } from '../../src/snapshot/snapshots.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { backupFolder, contentsIn, contentsOf, examine, jobContext, newRepository, type Contents } from './engine.ts';
import { MovableClock } from './movable-clock.ts';
import { keepLast } from './operations.ts';
import { tempDir, type TempDir } from './temp-dir.ts';

/** A repository of which only the newest of three snapshots is left, and what the others held. */
export interface Leaving extends AsyncDisposable {
  readonly clock: MovableClock;
  readonly storage: MemoryStorage;
  readonly context: JobContext;
  readonly dir: TempDir;
  /** Removed already, the oldest first. */
  readonly forgotten: readonly Snapshot[];
  /** What each snapshot that should be there holds. */
  readonly contents: Map<FileId, Contents>;
  /** A backup of the folder as it is. */
  readonly backUp: () => Promise<FileId>;
  /** Writes the snapshot again, as one does who found all its blobs in an index. */
  readonly bringBack: (snapshot: Snapshot) => Promise<FileId>;
}

/** Snapshot n holds file n, file n - 1 and `always`. */
export function fillFolder(folder: string, version: number): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/always`, 'the same'.repeat(9000));
  writeFileSync(`${folder}/last`, `number ${version}`.repeat(5000));
  for (const number of [version, version - 1]) writeFileSync(`${folder}/${number}`, `file ${number}`.repeat(4000));
}

export async function leaving(): Promise<Leaving> {
  const dir = await tempDir();
  const clock = new MovableClock();
  const storage = new MemoryStorage(new Map(), clock);
  await newRepository(storage);
  const context = jobContext(storage, clock);
  const folder = dir.file('data');
  const contents = new Map<FileId, Contents>();
  const backUp = async (): Promise<FileId> => {
    const { snapshot } = await backupFolder(context, folder);
    assert.ok(snapshot);
    contents.set(snapshot, contentsIn(inventoryOf(folder)));
    return snapshot;
  };
  const forgotten: Snapshot[] = [];
  const held = new Map<FileId, Contents>();
  for (const version of [1, 2, 3]) {
    fillFolder(folder, version);
    const id = await backUp();
    if (version < 3) forgotten.push(await loadSnapshot(await context.access.open(), id));
    held.set(id, contents.get(id) ?? new Map());
  }
  await keepLast(context, 'leave');
  for (const { id } of forgotten) contents.delete(id);
  clock.skipHours(30);
  const bringBack = async (snapshot: Snapshot): Promise<FileId> => {
    const id = await saveSnapshot(await context.access.open(), { ...snapshot, hostname: 'another' });
    contents.set(id, held.get(snapshot.id) ?? new Map());
    return id;
  };
  const dispose = async (): Promise<void> => await dir[Symbol.asyncDispose]();
  return { clock, storage, context, dir, forgotten, contents, backUp, bringBack, [Symbol.asyncDispose]: dispose };
}

/** Our check finds nothing, and every snapshot holds what it should, byte for byte. */
export async function assertWhole(
  storage: Storage,
  contents: ReadonlyMap<FileId, Contents>,
  folder: string,
  where: string,
): Promise<void> {
  const { findings, snapshots } = await examine(storage);
  assert.deepEqual(findings, [], where);
  assert.deepEqual(snapshots.toSorted(), [...contents.keys()].toSorted(), where);
  for (const [id, held] of contents) {
    assert.deepEqual(sorted(await contentsOf(jobContext(storage), id, folder)), sorted(held), where);
  }
}

function sorted(contents: Contents): readonly (readonly [string, string])[] {
  return [...contents].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Somebody else is at work until it is disposed of. */
export async function lockedByOther({ access, clock }: JobContext): Promise<RepositoryLock> {
  const holder = { ...access.holder, pid: 1, hostname: 'another' };
  const { signal } = new AbortController();
  const options = { mode: 'shared', holder, clock, retryMs: 0, signal, listener: silent } as const;
  return await lockRepository(await access.open(), options);
}

export async function keysOf(storage: Storage, prefix: string): Promise<readonly string[]> {
  return (await Array.fromAsync(storage.list(prefix), ({ key }) => key)).toSorted();
}

export async function journalsOf(storage: Storage): Promise<readonly string[]> {
  return await keysOf(storage, pruneJournalFolder);
}
