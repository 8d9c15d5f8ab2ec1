import { localZone } from '../clock/zone.ts';
import { silent } from '../events/events.ts';
import { isBad } from '../point/point.ts';
import {
  contextIn,
  identitiesOf,
  recorded,
  snapshotsOf,
  type ComponentContext,
  type NewRecord,
  type RuleOf,
} from './component.ts';
import { elsewhere, expirePoints, type Carried } from './external.ts';
import { listPoints } from './points.ts';
import { basesForWindows } from './window-bases.ts';
import { sureNow } from './sure-now.ts';
import { forget, type ForgetJobOptions, type ForgetOutcome } from './forget.ts';

export interface ForgetRuleOptions extends Pick<ForgetJobOptions, 'onPlan' | 'onRemoved' | 'prune'> {
  readonly repository: string;
}

/** Removes from one of its repositories what a rule doesn't keep there. All its snapshots are one group, from whatever host. */
export async function forgetRule(
  context: ComponentContext,
  of: RuleOf,
  { repository, ...options }: ForgetRuleOptions,
): Promise<ForgetOutcome | Carried | undefined> {
  const keep = of.rule.to[repository]?.keep;
  if (keep === undefined) return undefined;
  const groupBy = { host: false, paths: false, tags: false };
  const about = { kind: 'forget', component: of.name, repository, data: { rule: of.ruleName } } as const;
  const own = elsewhere(context, of, repository);
  const run = async (): Promise<ForgetOutcome | Carried> => {
    if (own !== undefined) return await expirePoints(own, context, of, { place: repository, keep });
    // Asked before the repository is locked: it may be the one whose storage tells the time.
    const hasLog = of.component.log !== undefined;
    const nowNs = hasLog ? await sureNow(context, of.name) : undefined;
    const bad = hasLog ? await badIn(context, of.name, repository) : new Set<string>();
    return await forget(contextIn(context, repository), {
      names: [],
      filter: snapshotsOf(of),
      now: Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO('UTC'),
      rules: { policy: keep, groupBy, zone: localZone() },
      lastOfPaths: 'kept',
      alsoNeeded: async (opened) => await basesForWindows(context, { of, repository, nowNs, bad }, opened),
      mode: context.mode,
      ...options,
    });
  };
  return await recorded(context, about, run, forgetData);
}

/** What was found wrong of a component in a repository; what a place that can't be asked knows of it is told elsewhere. */
async function badIn(context: ComponentContext, name: string, repository: string): Promise<ReadonlySet<string>> {
  const { points } = await listPoints({ ...context, listener: silent }, [name]);
  const copies = points.flatMap(({ identity, copies: all }) => all.map((copy) => ({ identity, copy })));
  const bad = copies.filter(({ copy }) => copy.repository === repository && isBad(copy));
  return new Set(bad.map(({ identity }) => identity));
}

/** What goes beyond the numbers can be told from the records of runs. */
export function forgetData(outcome: ForgetOutcome | Carried): NewRecord['data'] {
  const state = outcome.failed.length === 0 ? 'done' : 'done in part';
  const failed = outcome.failed.length;
  if ('held' in outcome) {
    const { held, done } = outcome;
    return { outcome: state, held, removed: done.length, points: identitiesOf(done), failed };
  }
  return { outcome: state, removed: outcome.removed.length, snapshots: outcome.removed.slice(0, 500), failed };
}
