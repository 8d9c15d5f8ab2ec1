import { repairIndex } from '../../job/repair-index.ts';
import { isSoundIndex, type RepairIndexPlan } from '../../repository/repair-index.ts';
import { jobContext } from '../access.ts';
import type { Run } from '../command.ts';
import type { repairIndexOptions } from '../commands/repair.ts';
import { plural } from '../format.ts';
import { showProgress } from '../progress.ts';
import { dryRunLine, tellEnd, tellSteps, type Step } from '../repair-view.ts';

/** Exit code 3: packs are torn, which `repair packs` is for. */
export const run: Run<typeof repairIndexOptions> = async ({ values }, context) => {
  const { console } = context;
  using view = showProgress(context);
  const mode = values.dryRun ? 'dry-run' : 'execute';
  const packs = values.readAllPacks ? 'all' : 'wrong';
  const onPlan = (plan: RepairIndexPlan): void => tellSteps(console, stepsOf(plan));
  const plan = await repairIndex(jobContext(context, view.listener), { packs, mode, onPlan });
  view[Symbol.dispose]();
  tellEnd(console, values.dryRun ? dryRunLine : lastLine(plan), {
    dry_run: values.dryRun,
    indexes_removed: plan.unreadable.length,
    packs_forgotten: plan.missing.length,
    packs_read: plan.read.size,
    packs_repeated: plan.repeated,
    packs_torn: plan.torn.length,
  });
  const torn = plan.torn.map(({ pack }) => pack);
  if (torn.length > 0) console.say(`save what is left of torn packs: \`holdfast repair packs ${torn.join(' ')}\``);
  return torn.length === 0 ? 0 : 3;
};

function* stepsOf({ unreadable, missing, read, torn, repeated }: RepairIndexPlan): Generator<Step> {
  for (const index of unreadable) {
    yield { action: 'remove index', line: `remove the damaged index ${index}`, about: { index } };
  }
  for (const pack of missing) {
    yield { action: 'forget pack', line: `forget the pack ${pack}, which is not there`, about: { pack } };
  }
  for (const [pack, blobs] of read) {
    yield { action: 'index pack', line: `index the pack ${pack}: ${plural(blobs, 'blob')}`, about: { pack, blobs } };
  }
  if (repeated > 0) {
    const line = `name ${plural(repeated, 'pack')} once instead of several times`;
    yield { action: 'merge', line, about: { packs: repeated } };
  }
  for (const { pack, problem, indexed } of torn) {
    const line = `leave the torn pack ${pack} ${indexed ? 'as the index has it' : 'out'}: ${problem}`;
    yield { action: 'leave pack', line, about: { pack, indexed, message: problem } };
  }
}

function lastLine(plan: RepairIndexPlan): string {
  return isSoundIndex(plan) ? 'the index was right: nothing was changed' : 'the index is repaired';
}
