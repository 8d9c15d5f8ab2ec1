import { displayPath, type FileId } from '../../bytes/ids.ts';
import { repairSnapshots, type RepairSnapshotsOutcome } from '../../job/repair-snapshots.ts';
import type { RepairSnapshotsPlan, SnapshotRepair } from '../../snapshot/repair.ts';
import { jobContext } from '../access.ts';
import type { Run } from '../command.ts';
import type { repairSnapshotsOptions } from '../commands/repair.ts';
import { plural, quoteForTerminal } from '../format.ts';
import { showProgress } from '../progress.ts';
import { dryRunLine, tellEnd, tellSteps, type Step } from '../repair-view.ts';
import { findOptions } from '../selection.ts';
import { writerOptions } from '../writer-options.ts';

/** Exit code 3: of some snapshot nothing can be read. */
export const run: Run<typeof repairSnapshotsOptions> = async ({ values, operands }, context) => {
  const { console } = context;
  const originals = values.forget ? 'forget' : 'keep';
  using view = showProgress(context);
  const outcome = await repairSnapshots(jobContext(context, view.listener), {
    ...findOptions(values, context),
    names: operands,
    originals,
    writer: writerOptions(context.globals),
    mode: values.dryRun ? 'dry-run' : 'execute',
    onPlan: (plan, removed) => tellSteps(console, stepsOf(plan, removed, originals)),
    onSaved: (snapshot, id) => {
      const record = { message_type: 'changed', old_snapshot_id: snapshot.id, new_snapshot_id: id };
      if (console.form === 'json') console.record(record);
      else console.say(`saved new snapshot ${id.slice(0, 8)} for ${snapshot.id.slice(0, 8)}`);
    },
  });
  view[Symbol.dispose]();
  const { plan, unreadable } = outcome;
  tellEnd(console, values.dryRun ? dryRunLine : lastLine(outcome), {
    dry_run: values.dryRun,
    snapshots_repaired: plan.repairs.filter(({ tree }) => tree !== undefined).length,
    snapshots_lost: plan.repairs.filter(({ tree }) => tree === undefined).length,
    snapshots_whole: plan.whole,
    snapshots_unreadable: unreadable,
  });
  const left = originals === 'keep' && plan.repairs.some(({ tree }) => tree === undefined);
  return left || unreadable > 0 ? 3 : 0;
};

function* stepsOf(
  { repairs }: RepairSnapshotsPlan,
  removed: readonly FileId[],
  originals: 'keep' | 'forget',
): Generator<Step> {
  for (const repair of repairs) yield* repairSteps(repair, originals);
  for (const id of removed) {
    yield { action: 'remove snapshot', line: `remove the unreadable snapshot ${id}`, about: { snapshot_id: id } };
  }
}

function* repairSteps(
  { snapshot, tree, changes, repairedAs }: SnapshotRepair,
  originals: 'keep' | 'forget',
): Generator<Step> {
  const { id } = snapshot;
  const short = id.slice(0, 8);
  for (const { path, kind } of changes) {
    const line = `snapshot ${short}: ${kind}: ${quoteForTerminal(displayPath(path))}`;
    yield { action: kind, line, about: { snapshot_id: id, path: displayPath(path) } };
  }
  const about = { snapshot_id: id };
  if (tree === undefined) {
    if (originals === 'keep')
      yield { action: 'leave snapshot', line: `leave snapshot ${short}: nothing of it can be read`, about };
  } else if (repairedAs === undefined) {
    yield { action: 'save snapshot', line: `save snapshot ${short} anew without that`, about };
  } else {
    const line = `snapshot ${short} was repaired before, as ${repairedAs.slice(0, 8)}`;
    yield { action: 'keep snapshot', line, about: { ...about, repaired_as: repairedAs } };
  }
  if (originals === 'forget') yield { action: 'remove snapshot', line: `remove snapshot ${short}`, about };
}

function lastLine({ plan }: RepairSnapshotsOutcome): string {
  const { repairs } = plan;
  return repairs.length === 0 ? 'no snapshots were modified' : `modified ${plural(repairs.length, 'snapshot')}`;
}
