import { HoldfastError } from '../../errors/error.ts';
import { undelete, type UndeleteJobOutcome } from '../../job/undelete.ts';
import { requestsOf } from '../../repository/undelete.ts';
import { jobContext } from '../access.ts';
import type { Run } from '../command.ts';
import type { repairUndeleteOptions } from '../commands/repair.ts';
import type { Context } from '../context.ts';
import { formatBytes, plural } from '../format.ts';
import { ownLocation, repositoryAddress } from '../location.ts';
import { storageAt } from '../opening.ts';
import { showProgress } from '../progress.ts';
import { dryRunLine, tellEnd } from '../repair-view.ts';
import { bytesOf, tellUndelete } from '../undelete-view.ts';

/** Exit code 3: something is lost, or could not be hidden. */
export const run: Run<typeof repairUndeleteOptions> = async ({ values }, context) => {
  const { console } = context;
  const timeNs = timeToGoBackTo(context);
  const storage = await storageAt(context, await repositoryAddress(ownLocation(context)));
  using view = showProgress(context);
  const outcome = await undelete(jobContext(context, view.listener), {
    storage,
    timeNs,
    mode: values.dryRun ? 'dry-run' : 'execute',
    onPlan: (plan, kept) => tellUndelete(plan, kept, console),
  });
  view[Symbol.dispose]();
  const { plan, done } = outcome;
  for (const key of done?.refused ?? []) {
    const message = `${key} could not be hidden: the storage refuses it`;
    console.complain(message, { message_type: 'error', item: key, error: { message } });
  }
  for (const { key, problem } of done?.lost ?? []) {
    const message = `${key} is lost: ${problem}`;
    console.complain(message, { message_type: 'error', item: key, error: { message } });
  }
  const left = plan.lost.length + (done?.lost.length ?? 0);
  tellEnd(console, values.dryRun ? dryRunLine : lastLine(outcome, left), {
    dry_run: values.dryRun,
    ...counts(outcome),
  });
  return left + (done?.refused.length ?? 0) === 0 ? 0 : 3;
};

function timeToGoBackTo({ globals }: Context): bigint {
  if (globals.asOf !== undefined) return globals.asOf;
  throw new HoldfastError('usage', 'repair undelete: to which time? Say --as-of "2026-08-01 14:00"');
}

function lastLine({ done }: UndeleteJobOutcome, lost: number): string {
  if (!done || done.uncovered + done.stored + done.hidden + lost === 0) return 'everything is as it was then';
  const { uncovered, stored, storedBytes, hidden } = done;
  const summary = `${uncovered} uncovered, ${stored} stored again (${formatBytes(storedBytes)}), ${hidden} hidden`;
  const next =
    lost === 0
      ? 'now run `holdfast check`'
      : `${plural(lost, 'object')} lost: \`holdfast check\` names what that costs`;
  return `${summary}: ${next}`;
}

function counts({ plan, done }: UndeleteJobOutcome): Readonly<Record<string, unknown>> {
  return {
    objects_uncovered: done?.uncovered ?? plan.uncover.length,
    objects_stored: done?.stored ?? plan.store.length,
    bytes_stored: done?.storedBytes ?? bytesOf(plan.store),
    objects_hidden: done?.hidden ?? plan.hide.length,
    objects_not_hidden: done?.refused.length ?? 0,
    objects_lost: plan.lost.length + (done?.lost.length ?? 0),
    snapshots_kept: plan.kept.size,
    files_left_hidden: plan.leftHidden.length,
    requests: requestsOf(plan),
  };
}
