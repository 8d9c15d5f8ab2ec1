import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileId } from '../bytes/ids.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import { errorCode, reasonOf } from '../host/system-error.ts';
import { keyOf } from '../repository/layout.ts';
import { executePackRepair, planPackRepair, type RepairPacksPlan } from '../repository/repair-packs.ts';
import type { Repository, WriterOptions } from '../repository/repository.ts';
import { inRepository, type JobContext } from './job.ts';
import { assertAllSeen } from './listed-twice.ts';

export interface RepairPacksOptions {
  readonly packs: ReadonlySet<FileId>;
  /** The folder into which each pack is saved as it is, as `pack-<ID>`, before anything is changed. */
  readonly copiesIn: string;
  readonly writer: Omit<WriterOptions, 'signal' | 'mode'>;
  readonly mode: 'execute' | 'dry-run';
  /** Told what is going to happen, before it does. */
  readonly onPlan: (plan: RepairPacksPlan) => void;
}

/** Saves what is left of damaged packs, alone on the repository. */
export async function repairPacks(context: JobContext, options: RepairPacksOptions): Promise<RepairPacksPlan> {
  const { listener } = context;
  return await inRepository(context, options.mode === 'dry-run' ? 'check' : 'rewrite', async (opened, signal) => {
    const repository = opened.direct();
    const indexes = new Set<FileId>();
    await repository.loadIndex(listener, { onRead: (id) => indexes.add(id) });
    const plan = await planPackRepair(repository, options.packs, { listener, signal });
    options.onPlan(plan);
    await assertAllSeen(repository, 'index', indexes);
    if (options.mode === 'dry-run') return plan;
    for (const { pack, sizeBytes } of plan.packs) {
      if (sizeBytes !== undefined) await savePack(repository, pack, options.copiesIn, context);
    }
    await executePackRepair(repository, plan, { writer: { ...options.writer, signal, mode: 'store' }, listener });
    return plan;
  });
}

/** A pack of which the storage gives nothing is told, and goes all the same, as with restic. */
async function savePack(
  { storage }: Repository,
  pack: FileId,
  folder: string,
  { listener }: JobContext,
): Promise<void> {
  const path = join(folder, `pack-${pack}`);
  try {
    await saveOnce(path, await storage.get(keyOf('data', pack)));
  } catch (error) {
    if (!hasCode(error, 'storage-failed', 'storage-not-found')) throw error;
    listener({ kind: 'warning', during: 'repair', item: `pack ${pack}`, message: `no copy is kept: ${error.message}` });
  }
}

/** Under its name there is all of it, or another file, which is not touched. */
async function saveOnce(path: string, bytes: Uint8Array): Promise<void> {
  const there = await existing(path);
  if (there !== undefined) {
    if (Buffer.compare(there, bytes) === 0) return;
    throw new HoldfastError('refused', `${path} is there already and holds something else: nothing was changed`);
  }
  const part = `${path}.part`;
  try {
    await using file = await open(part, 'w');
    await file.writeFile(bytes);
    await file.sync();
  } catch (cause) {
    throw new HoldfastError('refused', `a copy of the pack can't be kept at ${path}: ${reasonOf(cause)}`, { cause });
  }
  await rename(part, path);
}

async function existing(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
