import { localZone } from '../clock/zone.ts';
import { contextIn, recorded, snapshotsOf, type ComponentContext, type RuleOf } from './component.ts';
import { forget, type ForgetJobOptions, type ForgetOutcome } from './forget.ts';

export interface ForgetRuleOptions extends Pick<ForgetJobOptions, 'onPlan' | 'onRemoved' | 'prune'> {
  readonly repository: string;
}

/** Removes from one of its repositories what a rule doesn't keep there. All its snapshots are one group, from whatever host. */
export async function forgetRule(
  context: ComponentContext,
  of: RuleOf,
  { repository, ...options }: ForgetRuleOptions,
): Promise<ForgetOutcome | undefined> {
  const keep = of.rule.to[repository]?.keep;
  if (keep === undefined) return undefined;
  const groupBy = { host: false, paths: false, tags: false };
  const about = { kind: 'forget', component: of.name, repository } as const;
  const run = async (): Promise<ForgetOutcome> =>
    await forget(contextIn(context, repository), {
      names: [],
      filter: snapshotsOf(of),
      now: Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO('UTC'),
      rules: { policy: keep, groupBy, zone: localZone() },
      mode: context.mode,
      ...options,
    });
  return await recorded(context, about, run, ({ removed, failed }) => ({
    outcome: failed.length === 0 ? 'done' : 'done in part',
    rule: of.ruleName,
    removed: removed.length,
    // The rest can be told from the snapshots of the records of runs.
    snapshots: removed.slice(0, 500),
    failed: failed.length,
  }));
}
