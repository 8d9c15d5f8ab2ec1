import { repairPacks } from '../../job/repair-packs.ts';
import type { PackRepair, RepairPacksPlan } from '../../repository/repair-packs.ts';
import { jobContext } from '../access.ts';
import { packIds } from '../checks/objects.ts';
import type { Run } from '../command.ts';
import type { repairPacksOptions } from '../commands/repair.ts';
import { formatBytes, plural } from '../format.ts';
import { showProgress } from '../progress.ts';
import { dryRunLine, tellEnd, tellSteps, type Step } from '../repair-view.ts';
import { writerOptions } from '../writer-options.ts';

export const run: Run<typeof repairPacksOptions> = async ({ values, operands }, context) => {
  const { console } = context;
  using view = showProgress(context);
  const plan = await repairPacks(jobContext(context, view.listener), {
    packs: packIds(operands),
    copiesIn: process.cwd(),
    writer: writerOptions(context.globals),
    mode: values.dryRun ? 'dry-run' : 'execute',
    onPlan: (planned) => tellSteps(console, stepsOf(planned)),
  });
  view[Symbol.dispose]();
  const lost = plan.packs.flatMap((pack) => pack.lost.filter(({ elsewhere }) => !elsewhere));
  const saved = plan.packs.reduce((sum, { intact }) => sum + intact.length, 0);
  tellEnd(console, values.dryRun ? dryRunLine : `saved ${plural(saved, 'blob')}, lost ${lost.length}`, {
    dry_run: values.dryRun,
    packs: plan.packs.length,
    blobs_saved: saved,
    blobs_lost: lost.length,
  });
  if (lost.length > 0) console.say('`holdfast repair snapshots` writes snapshots without what is lost');
  return 0;
};

function* stepsOf({ packs }: RepairPacksPlan): Generator<Step> {
  for (const repair of packs) yield* packSteps(repair);
}

function* packSteps({ pack, sizeBytes, intact, lost }: PackRepair): Generator<Step> {
  if (sizeBytes === undefined) {
    yield { action: 'forget pack', line: `forget the pack ${pack}, which is not there`, about: { pack } };
  } else {
    const line = `save the pack ${pack} (${formatBytes(sizeBytes)}) in this folder`;
    yield { action: 'copy pack', line, about: { pack, bytes: sizeBytes } };
  }
  for (const { blob, problem, elsewhere } of lost) {
    const { id, type } = blob;
    const line = `${elsewhere ? 'damaged, and intact elsewhere' : 'lost'}: the ${type} blob ${id}: ${problem}`;
    yield { action: elsewhere ? 'skip blob' : 'lose blob', line, about: { pack, blob: id, type, message: problem } };
  }
  const bytes = intact.reduce((sum, { length }) => sum + length, 0);
  const line = `store ${plural(intact.length, 'intact blob')} anew (${formatBytes(bytes)}), and remove the pack`;
  yield { action: 'salvage', line, about: { pack, blobs: intact.length, bytes } };
}
