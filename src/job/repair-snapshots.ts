import { parseFileId, type FileId } from '../bytes/ids.ts';
import type { WriterOptions } from '../repository/repository.ts';
import { executeSnapshotRepair, planSnapshotRepair, type RepairSnapshotsPlan } from '../snapshot/repair.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { findSnapshots, listSnapshots, type FindOptions } from '../snapshot/snapshots.ts';
import { inRepository, type JobContext } from './job.ts';
import { assertAllSeen } from './listed-twice.ts';
import { assertNothingPutOff } from './put-off.ts';

export interface RepairSnapshotsJobOptions extends FindOptions {
  readonly names: readonly string[];
  readonly originals: 'keep' | 'forget';
  readonly writer: Omit<WriterOptions, 'signal' | 'mode'>;
  readonly mode: 'execute' | 'dry-run';
  /** Told what is going to happen, before it does. */
  readonly onPlan: (plan: RepairSnapshotsPlan, removed: readonly FileId[]) => void;
  readonly onSaved: (snapshot: Snapshot, id: FileId) => void;
}

export interface RepairSnapshotsOutcome {
  readonly plan: RepairSnapshotsPlan;
  /** Snapshot files that can't be read and stay; each was told as a warning. */
  readonly unreadable: number;
}

/** Writes snapshots anew without what they have lost, alone on the repository. */
export async function repairSnapshots(
  context: JobContext,
  options: RepairSnapshotsJobOptions,
): Promise<RepairSnapshotsOutcome> {
  const { listener } = context;
  return await inRepository(context, options.mode === 'dry-run' ? 'check' : 'rewrite', async (opened, signal) => {
    const repository = opened.direct();
    const found = await findSnapshots(repository, options.names, options);
    const removable: FileId[] = [];
    const snapshots = found.flatMap((one) => {
      if (one.kind === 'snapshot') return [one.snapshot];
      if (isToRemove(one, options)) removable.push(parseFileId(one.name));
      else if (options.names.length > 0 && one.error.code !== 'damaged') throw one.error;
      else {
        const message = `it can't be read: ${one.error.message} (named with --forget it is removed)`;
        listener({ kind: 'warning', during: 'repair', item: `snapshot ${one.name}`, message });
      }
      return [];
    });
    const present = (await listSnapshots(repository)).flatMap((one) => (one.kind === 'snapshot' ? [one.snapshot] : []));
    const indexes = new Set<FileId>();
    await repository.loadIndex(listener, { onRead: (id) => indexes.add(id) });
    const plan = await planSnapshotRepair(repository, snapshots, { listener, signal, present });
    options.onPlan(plan, removable);
    if (plan.repairs.length > 0) {
      await assertAllSeen(repository, 'index', indexes);
      const trees = plan.repairs.map(({ snapshot }) => snapshot.tree);
      await assertNothingPutOff(repository, trees, { listener, signal });
    }
    if (options.mode === 'execute') {
      const writer = { ...options.writer, signal, mode: 'store' } as const;
      await executeSnapshotRepair(repository, plan, { ...options, writer });
      for (const id of removable) await repository.removeFile('snapshots', id);
    }
    return { plan, unreadable: found.length - snapshots.length - removable.length };
  });
}

/** A damaged snapshot file goes only when it is named in full. */
function isToRemove(
  { name, error }: { readonly name: string; readonly error: { readonly code: string } },
  { names, originals }: RepairSnapshotsJobOptions,
): boolean {
  return originals === 'forget' && names.includes(name) && /^[0-9a-f]{64}$/.test(name) && error.code === 'damaged';
}
