import type { OpenedKey } from '../repository/keys.ts';
import { executeConfigRepair, planConfigRepair, type RepairConfigPlan } from '../repository/repair-config.ts';
import type { Storage } from '../storage/storage.ts';
import type { RepositoryAccess } from './job.ts';

export interface RepairConfigOptions {
  /** Given up to the job, which disposes of it. */
  readonly storage: Storage;
  /** Of the repository without a config. */
  readonly key: Promise<OpenedKey>;
  /** A copy of the repository, or one that cuts files as it did. */
  readonly from?: Pick<RepositoryAccess, 'open'>;
  readonly mode: 'execute' | 'dry-run';
  /** Told what is going to happen, before it does. */
  readonly onPlan: (plan: RepairConfigPlan) => void;
}

/** Gives a repository a config again. No lock is taken: without a config nobody can work with it. */
export async function repairConfig({ storage, key, from, mode, onPlan }: RepairConfigOptions): Promise<void> {
  await using _storage = storage;
  const { master } = await key;
  await using other = await from?.open();
  const plan = await planConfigRepair(storage, master, other);
  onPlan(plan);
  if (mode === 'execute') await executeConfigRepair(storage, master, plan);
}
