import { parseFileId } from '../../src/bytes/ids.ts';
import type { JobContext } from '../../src/job/job.ts';
import { repairIndex } from '../../src/job/repair-index.ts';
import { repairPacks } from '../../src/job/repair-packs.ts';
import { repairSnapshots } from '../../src/job/repair-snapshots.ts';
import type { RepairIndexPlan } from '../../src/repository/repair-index.ts';
import type { RepairSnapshotsPlan } from '../../src/snapshot/repair.ts';
import { anySnapshot } from '../../src/snapshot/snapshots.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { jobContext } from './engine.ts';
import { checked, threeBackups } from './operations.ts';
import { writerOptions } from './pipeline.ts';
import { tempDir, type TempDir } from './temp-dir.ts';

export interface Patient {
  readonly storage: MemoryStorage;
  readonly context: JobContext;
}

/** Three snapshots, still healthy. */
export async function patient(): Promise<Patient> {
  await using dir = await tempDir();
  const storage = new MemoryStorage(await threeBackups(dir));
  return { storage, context: jobContext(storage) };
}

export async function indexRepaired(
  context: JobContext,
  packs: 'wrong' | 'all' = 'wrong',
  mode: 'execute' | 'dry-run' = 'execute',
): Promise<RepairIndexPlan> {
  return await repairIndex(context, { packs, mode, onPlan: () => undefined });
}

/** Every pack of which a check of all data says that something is wrong with it; they are kept in the folder. */
export async function packsRepaired(context: JobContext, { path: copiesIn }: TempDir): Promise<void> {
  const packs = new Set((await checked(context, 'data')).brokenPacks.map((id) => parseFileId(id)));
  if (packs.size === 0) return;
  await repairPacks(context, { packs, copiesIn, writer: writerOptions(), mode: 'execute', onPlan: () => undefined });
}

export async function snapshotsRepaired(
  context: JobContext,
  originals: 'keep' | 'forget',
  mode: 'execute' | 'dry-run' = 'execute',
  names: readonly string[] = [],
): Promise<RepairSnapshotsPlan> {
  const now = Temporal.Now.zonedDateTimeISO();
  const { plan } = await repairSnapshots(context, {
    ...{ names, filter: anySnapshot, now, originals, mode },
    writer: writerOptions(),
    ...{ onPlan: () => undefined, onSaved: () => undefined },
  });
  return plan;
}

export async function keysOf(storage: Storage, prefix: string): Promise<readonly string[]> {
  return (await Array.fromAsync(storage.list(prefix), ({ key }) => key)).toSorted();
}
