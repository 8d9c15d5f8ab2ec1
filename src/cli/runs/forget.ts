import { localZone } from '../../clock/zone.ts';
import { HoldfastError } from '../../errors/error.ts';
import { forget, type ForgetJobOptions, type ForgetOutcome } from '../../job/forget.ts';
import type { RuleOf } from '../../job/component.ts';
import { parseDuration, type Duration } from '../../retention/duration.ts';
import { defaultGroupBy, parseGroupBy } from '../../retention/group.ts';
import { isEmptyPolicy, periods, type KeepCount, type KeepPolicy, type Period } from '../../retention/keep.ts';
import { parseTagList } from '../../retention/tags.ts';
import { describePolicy, type GroupPlan } from '../../retention/plan.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { jobContext } from '../access.ts';
import { goesByPolicy } from '../by-policy.ts';
import { flagName } from '../option.ts';
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
  const { globals } = context;
  if (globals.noLock && !values.dryRun) throw new HoldfastError('usage', 'forget: --no-lock goes with --dry-run only');
  const policy = policyOf(values);
  if (await goesByPolicy(context)) return await byPolicy(values, operands, context);
  if (values.all || values.rule !== undefined)
    throw new HoldfastError('usage', 'forget: --all and --rule are for components of a policy');
  checkRemoveAll(values, policy);
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
  const { given } = context;
  const own = Object.keys(values).find((key) => key.startsWith('keep') && given(key).origin !== 'none');
  if (own !== undefined || values.prune)
    throw new HoldfastError(
      'usage',
      `forget: ${own === undefined ? '--prune' : flagName(own)} can’t stand beside a policy`,
    );
  const { forgetComponents } = await import('../components/forget.ts');
  const shown = (of: RuleOf, repository: string): ReturnType<typeof showing> =>
    showing(of.rule.to[repository]?.keep ?? policyOf(values), values, context);
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

/** An empty policy removes everything that the filter lets through: never without one. */
function checkRemoveAll({ unsafeAllowRemoveAll, host, tag, path }: Values, policy: KeepPolicy): void {
  if (!unsafeAllowRemoveAll || !isEmptyPolicy(policy) || host.length + tag.length + path.length > 0) return;
  throw new HoldfastError('usage', '--unsafe-allow-remove-all needs --host, --tag or --path beside it');
}

function policyOf(values: Values): KeepPolicy {
  const { keepLast, keepHourly, keepDaily, keepWeekly, keepMonthly, keepQuarterly, keepYearly } = values;
  const counts = given<KeepCount>({
    last: keepLast,
    hourly: keepHourly,
    daily: keepDaily,
    weekly: keepWeekly,
    monthly: keepMonthly,
    quarterly: keepQuarterly,
    yearly: keepYearly,
  });
  const texts: Readonly<Record<Period, string | undefined>> = {
    hourly: values.keepWithinHourly,
    daily: values.keepWithinDaily,
    weekly: values.keepWithinWeekly,
    monthly: values.keepWithinMonthly,
    quarterly: values.keepWithinQuarterly,
    yearly: values.keepWithinYearly,
  };
  const withinEach = Object.fromEntries(periods.map((period) => [period, durationOf(texts[period])]));
  return {
    counts,
    within: durationOf(values.keepWithin),
    withinEach: given<Duration>(withinEach),
    tags: values.keepTag.map(parseTagList),
  };
}

function durationOf(text: string | undefined): Duration | undefined {
  return text === undefined ? undefined : parseDuration(text);
}

function given<T>(values: Readonly<Record<string, T | undefined>>): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
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
