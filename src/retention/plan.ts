import { HoldfastError } from '../errors/error.ts';
import { formatDuration } from './duration.ts';
import { describeGroup, groupSnapshots, type GroupBy, type GroupKey } from './group.ts';
import {
  countedPeriods,
  isEmptyPolicy,
  isZero,
  periods,
  type DatedSnapshot,
  type KeepPolicy,
  type Retained,
} from './keep.ts';
import { applyPolicy, type Moment } from './policy.ts';

/** What a forget would do with one group. */
export interface GroupPlan<S extends DatedSnapshot> extends Retained<S> {
  readonly key: GroupKey;
}

export interface ForgetOptions extends Moment {
  readonly policy: KeepPolicy;
  readonly groupBy: GroupBy;
  /** With a policy that keeps nothing at all: remove everything. The caller has made sure that a filter was given. */
  readonly removeAll?: 'allowed';
}

/**
 * Sorts snapshots into those to keep and those to remove, group by group. Nothing is removed that wasn't meant:
 * 'refused' without any rule (unless allowed), and where the rules would leave a group without a snapshot, as a
 * mistyped --keep-tag would.
 */
export function planForget<S extends DatedSnapshot>(
  snapshots: readonly S[],
  options: ForgetOptions,
): readonly GroupPlan<S>[] {
  const { policy, groupBy, removeAll } = options;
  const empty = isEmptyPolicy(policy);
  if (empty && removeAll !== 'allowed')
    throw new HoldfastError('refused', 'no policy was specified, no snapshots will be removed');
  return groupSnapshots(snapshots, groupBy).map(({ key, snapshots: members }) => {
    const retained = applyPolicy(members, policy, options);
    if (!empty && retained.keep.length === 0) throw refusal(key);
    return { key, ...retained };
  });
}

/** The same, but these are kept too, each for a reason that no rule knows. */
export function keepingAlso<S extends DatedSnapshot>(
  plan: GroupPlan<S>,
  also: ReadonlyMap<string, string>,
): GroupPlan<S> {
  const [none] = plan.reasons.slice(-1);
  const saved = plan.remove.filter(({ id }) => also.has(id));
  if (none === undefined || saved.length === 0) return plan;
  const matches = (id: string): readonly string[] => [also.get(id) ?? ''];
  const more = saved.map((snapshot) => ({ snapshot, matches: matches(snapshot.id), counters: none.counters }));
  const reasons = [...plan.reasons, ...more].toSorted(({ snapshot: a }, { snapshot: b }) =>
    a.timeNs === b.timeNs ? 0 : a.timeNs > b.timeNs ? -1 : 1,
  );
  const keep = reasons.map(({ snapshot }) => snapshot);
  return { ...plan, keep, reasons, remove: plan.remove.filter(({ id }) => !also.has(id)) };
}

/** For people, in restic's words: `keep 7 daily, 4 weekly snapshots and all snapshots within 1m of the newest`. */
export function describePolicy(policy: KeepPolicy): string {
  const counts = countedPeriods.flatMap((period) => {
    const count = policy.counts[period] ?? 0;
    const name = period === 'last' ? 'latest' : period;
    return count === 0 ? [] : [`${count === 'unlimited' ? 'all' : count} ${name}`];
  });
  const each = periods.flatMap((period) => {
    const duration = policy.withinEach[period];
    return duration && !isZero(duration) ? [`${period} snapshots within ${formatDuration(duration)}`] : [];
  });
  const counted = [...(counts.length > 0 ? [`${counts.join(', ')} snapshots`] : []), ...each].join(', ');
  const tags =
    policy.tags.length > 0
      ? [`all snapshots with tags [${policy.tags.map((list) => `[${list.join(', ')}]`).join(' ')}]`]
      : [];
  const { within } = policy;
  const newest = within && !isZero(within) ? [`all snapshots within ${formatDuration(within)} of the newest`] : [];
  const parts = [...(counted === '' ? [] : [counted]), ...tags, ...newest];
  return parts.length === 0 ? 'remove' : `keep ${parts.join(' and ')}`;
}

function refusal(key: GroupKey): HoldfastError {
  const message = `the policy would remove every snapshot of the group "${describeGroup(key)}"`;
  return new HoldfastError('refused', message, {
    next: 'Nothing was removed. Add a rule that keeps some of them, for example --keep-last 1.',
  });
}
