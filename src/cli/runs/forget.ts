import { localZone } from '../../clock/zone.ts';
import { forget, type ForgetJobOptions, type ForgetOutcome } from '../../job/forget.ts';
import type { RuleOf } from '../../job/component.ts';
import { defaultGroupBy, parseGroupBy } from '../../retention/group.ts';
import type { KeepPolicy } from '../../retention/keep.ts';
import { describePolicy, type GroupPlan } from '../../retention/plan.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { jobContext } from '../access.ts';
import { goesByPolicy } from '../by-policy.ts';
import { keepPolicyOf } from '../checks/forget.ts';
import type { Invocation, Run } from '../command.ts';
import type { forgetOptions } from '../commands/forget.ts';
import type { Console } from '../console.ts';
import type { Context } from '../context.ts';
import { plural } from '../format.ts';
import { showHeldBack } from '../held-back-view.ts';
import { showProgress } from '../progress.ts';
import { pruneJob, pruneNotes } from '../prune-view.ts';
import { findOptions } from '../selection.ts';
import { snapshotRecord } from '../snapshot-record.ts';
import { groupTitle, snapshotTable } from '../snapshot-table.ts';
import { pruneExitCode, showPruned } from '../sweep-view.ts';

type Values = Invocation<typeof forgetOptions>['values'];

/** Exit code 3: some snapshot or pack could not be removed. */
export const run: Run<typeof forgetOptions> = async ({ values, operands }, context) => {
  if (await goesByPolicy(context)) return await byPolicy(values, operands, context);
  const policy = keepPolicyOf(values);
  using view = showProgress(context, pruneNotes(context));
  const outcome = await forget(jobContext(context, view.listener), {
    ...findOptions(values, context),
    names: operands,
    rules: {
      policy,
      groupBy: values.groupBy === undefined ? defaultGroupBy : parseGroupBy(values.groupBy),
      zone: localZone(),
      ...(values.unsafeAllowRemoveAll ? { removeAll: 'allowed' } : {}),
    },
    lastOfPaths: 'as the rules say',
    mode: values.dryRun ? 'dry-run' : 'execute',
    ...(values.prune ? { prune: pruneJob(values, context) } : {}),
    ...showing(policy, values, context),
  });
  return told(outcome, context.console);
};

/** The exit code. */
function told({ failed, pruned, heldBack }: ForgetOutcome, console: Console): number {
  if (pruned !== undefined) showPruned({ ...pruned, ...(heldBack && { heldBack }) }, console);
  // Without a prune the records are one document, which scripts read as such.
  if (pruned !== undefined || console.form === 'text') showHeldBack(heldBack, console);
  if (failed.length > 0) return 3;
  return pruned === undefined ? 0 : pruneExitCode(pruned);
}

/** The policy file alone says what is kept. */
async function byPolicy(values: Values, operands: readonly string[], context: Context): Promise<number> {
  const { forgetComponents } = await import('../components/forget.ts');
  const shown = (of: RuleOf, repository: string): ReturnType<typeof showing> =>
    showing(of.rule.to[repository]?.keep ?? keepPolicyOf(values), values, context);
  return await forgetComponents({ names: operands, values, showing: shown }, context);
}

function showing(policy: KeepPolicy, values: Values, context: Context): Pick<ForgetJobOptions, 'onPlan' | 'onRemoved'> {
  const { console } = context;
  let groups: readonly GroupPlan<Snapshot>[] = [];
  return {
    onPlan: (planned) => {
      groups = planned;
      showPlan(planned, policy, values, context);
    },
    onRemoved: (removed) => {
      if (console.form === 'json' && groups.length > 0) console.record(groups.map(groupRecord));
      if (removed.length > 0)
        console.say(`${values.dryRun ? 'would remove' : 'removed'} ${plural(removed.length, 'snapshot')}`);
    },
  };
}

function showPlan(
  groups: readonly GroupPlan<Snapshot>[],
  policy: KeepPolicy,
  { compact }: Values,
  { console }: Context,
): void {
  const form = compact ? 'compact' : 'full';
  console.say(`Applying Policy: ${describePolicy(policy)}`);
  for (const { key, keep, remove, reasons } of groups) {
    const title = groupTitle(key);
    if (title !== undefined) console.say(`\n${title}`);
    const matches = new Map(reasons.map((reason) => [reason.snapshot, reason.matches]));
    if (keep.length > 0) console.say(`keep ${plural(keep.length, 'snapshot')}:`);
    if (keep.length > 0) for (const line of snapshotTable(keep.toReversed(), form, matches)) console.say(line);
    if (remove.length > 0) console.say(`\nremove ${plural(remove.length, 'snapshot')}:`);
    if (remove.length > 0) for (const line of snapshotTable(remove.toReversed(), form)) console.say(line);
  }
}

/** restic writes an empty list as null. */
function groupRecord({ key, keep, remove, reasons }: GroupPlan<Snapshot>): unknown {
  return {
    tags: key.tags,
    host: key.hostname,
    paths: key.paths,
    keep: orNull(keep.map(snapshotRecord)),
    remove: orNull(remove.map(snapshotRecord)),
    reasons: orNull(reasons.map(({ snapshot, matches }) => ({ snapshot: snapshotRecord(snapshot), matches }))),
  };
}

function orNull<T>(items: readonly T[]): readonly T[] | null {
  return items.length === 0 ? null : items;
}
