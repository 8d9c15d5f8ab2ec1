import { executeIndexRepair, planIndexRepair, type RepairIndexPlan } from '../repository/repair-index.ts';
import { inRepository, type JobContext } from './job.ts';

export interface RepairIndexOptions {
  /** 'all': nothing that the index says is believed, every pack's header is read. */
  readonly packs: 'wrong' | 'all';
  readonly mode: 'execute' | 'dry-run';
  /** Told what is going to happen, before it does. */
  readonly onPlan: (plan: RepairIndexPlan) => void;
}

/** Makes the index say of every pack what the pack holds, alone on the repository. */
export async function repairIndex(context: JobContext, options: RepairIndexOptions): Promise<RepairIndexPlan> {
  return await inRepository(context, options.mode === 'dry-run' ? 'check' : 'rewrite', async (repository, signal) => {
    const repair = { listener: context.listener, signal };
    const plan = await planIndexRepair(repository, options.packs, repair);
    options.onPlan(plan);
    if (options.mode === 'execute') await executeIndexRepair(repository, plan, repair);
    return plan;
  });
}
