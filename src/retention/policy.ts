import { goTimeOffset } from '../bytes/go-time.ts';
import type { Zone } from '../clock/zone.ts';
import { bucketOf } from './buckets.ts';
import { formatDuration, floorSeconds, subtractDuration, type Duration } from './duration.ts';
import {
  countedPeriods,
  isZero,
  periods,
  type CountedPeriod,
  type DatedSnapshot,
  type KeepCount,
  type KeepPolicy,
  type KeepReason,
  type Period,
  type Retained,
} from './keep.ts';
import { hasTags } from './tags.ts';

export interface Moment {
  readonly nowNs: bigint;
  /** The zone of this machine: where the newest snapshot was written in it, durations are taken off its calendar. */
  readonly zone: Zone;
}

/** Sorts the snapshots of one group into those to keep and those to remove. */
export function applyPolicy<S extends DatedSnapshot>(
  group: readonly S[],
  policy: KeepPolicy,
  moment: Moment,
): Retained<S> {
  const sorted = group.toSorted((a, b) => (a.timeNs === b.timeNs ? 0 : a.timeNs > b.timeNs ? -1 : 1));
  const rules = rulesOf(policy, sorted, moment);
  const keep: S[] = [];
  const remove: S[] = [];
  const reasons: KeepReason<S>[] = [];
  for (const [index, snapshot] of sorted.entries()) {
    const place = { index, oldest: index === sorted.length - 1 };
    const matches = rules.keeping.flatMap((rule) => rule(snapshot, place) ?? []);
    if (matches.length === 0) remove.push(snapshot);
    else {
      keep.push(snapshot);
      reasons.push({ snapshot, matches, counters: rules.counters() });
    }
  }
  return { keep, remove, reasons };
}

/** Why it keeps a snapshot, if it does. To be asked once for each, newest first. */
type Rule = (snapshot: DatedSnapshot, place: Place) => string | undefined;

interface Place {
  /** 0 for the newest. */
  readonly index: number;
  readonly oldest: boolean;
}

interface Rules {
  readonly keeping: readonly Rule[];
  readonly counters: () => Record<CountedPeriod, number>;
}

function rulesOf(policy: KeepPolicy, sorted: readonly DatedSnapshot[], moment: Moment): Rules {
  const counters = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, quarterly: 0, yearly: 0 };
  for (const period of countedPeriods) counters[period] = countOf(policy.counts[period] ?? 0);
  const newest = newestPast(sorted, moment);
  const since = (duration: Duration): bigint => subtractDuration(newest.timeNs, duration, newest.zone);
  const { within } = policy;
  return {
    keeping: [
      ...policy.tags.map(
        (list): Rule =>
          ({ tags }) =>
            hasTags(tags, list) ? `has tags [${list.join(', ')}]` : undefined,
      ),
      ...(within && !isZero(within) ? [withinRule(since(within), within)] : []),
      ...countedPeriods.map((period) => countRule(period, counters)),
      ...periods.flatMap((period) => {
        const duration = policy.withinEach[period];
        return duration && !isZero(duration) ? [withinEachRule(period, since(duration), duration)] : [];
      }),
    ],
    counters: () => ({ ...counters }),
  };
}

/** Go's zero time, from which restic counts where every snapshot lies in the future: all of them are younger. */
const yearOneNs = -62_135_596_800_000_000_000n;

/** The newest snapshot that isn't in the future, and the zone in whose calendar to count back from it. */
function newestPast(
  sorted: readonly DatedSnapshot[],
  { nowNs, zone }: Moment,
): { readonly timeNs: bigint; readonly zone: Zone } {
  const newest = sorted.find(({ timeNs }) => timeNs < nowNs);
  if (!newest) return { timeNs: yearOneNs, zone: fixedZone(0) };
  const { time, timeNs } = newest;
  const offset = goTimeOffset(time);
  const isLocal = offset !== undefined && zone.offsetAt(floorSeconds(timeNs)) === offset;
  return { timeNs, zone: isLocal ? zone : fixedZone(offset ?? 0) };
}

function fixedZone(offsetSeconds: number): Zone {
  return { offsetAt: () => offsetSeconds };
}

function countOf(count: KeepCount): number {
  return count === 'unlimited' ? -1 : count;
}

function withinRule(sinceNs: bigint, duration: Duration): Rule {
  const reason = `within ${formatDuration(duration)}`;
  return ({ timeNs }) => (timeNs > sinceNs ? reason : undefined);
}

function countRule(period: CountedPeriod, counters: Record<CountedPeriod, number>): Rule {
  const firstOf = firstOfEach(period);
  return (snapshot, place) => {
    if (counters[period] === 0) return undefined;
    const first = firstOf(snapshot, place);
    if (!first && !place.oldest) return undefined;
    if (counters[period] > 0) counters[period]--;
    return `${first ? '' : 'oldest '}${period} snapshot`;
  };
}

function withinEachRule(period: Period, sinceNs: bigint, duration: Duration): Rule {
  const firstOf = firstOfEach(period);
  return (snapshot, place) => {
    if (snapshot.timeNs <= sinceNs) return undefined;
    const first = firstOf(snapshot, place);
    if (!first && !place.oldest) return undefined;
    return `${first ? '' : 'oldest '}${period} within ${formatDuration(duration)}`;
  };
}

/** Whether a snapshot is the first asked about in its hour, day …; the next one is held against it then. */
function firstOfEach(period: CountedPeriod): (snapshot: DatedSnapshot, place: Place) => boolean {
  let last: number | undefined;
  return (snapshot, { index }) => {
    const bucket = period === 'last' ? index : bucketOf(period, snapshot);
    const first = bucket !== last;
    last = bucket;
    return first;
  };
}
