import { HoldfastError } from '../errors/error.ts';
import type { Duration } from './duration.ts';

/**
 * Which snapshots are kept, exactly by the rules of restic's `forget`, as pure functions of values:
 *
 * - Snapshots are grouped (`groupSnapshots`), and the policy is applied to each group by itself.
 * - A count keeps the newest snapshot of each of the newest n hours, days, weeks … that have one. Hours and days are
 *   those of the snapshot's own zone; weeks are ISO weeks. The oldest snapshot of the group is kept too while a count
 *   has something left, so that history reaches as far back as it can.
 * - A duration counts back from the newest snapshot of the group that isn't in the future, not from now. What is in
 *   the future is younger, and so kept.
 * - A tag list keeps every snapshot that has all its tags.
 * - A snapshot that any rule keeps is kept. A policy without a rule is empty: it is refused, not applied (`planForget`).
 */
export interface KeepPolicy {
  readonly counts: Readonly<Partial<Record<CountedPeriod, KeepCount>>>;
  /** Everything within this time of the newest. */
  readonly within?: Duration | undefined;
  /** One for each period within this time of the newest. */
  readonly withinEach: Readonly<Partial<Record<Period, Duration>>>;
  readonly tags: readonly TagList[];
}

/** In the order in which reasons are given. Quarters are Holdfast's own: restic has none. */
export const periods = ['hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly'] as const;
export type Period = (typeof periods)[number];
/** 'last' counts single snapshots. */
export const countedPeriods = ['last', ...periods] as const;
export type CountedPeriod = (typeof countedPeriods)[number];

/** 0 keeps none by this rule. */
export type KeepCount = number | 'unlimited';

/** Parses the value of a --keep-… option: a whole number, or 'unlimited'. */
export function parseKeepCount(text: string): KeepCount {
  if (text === 'unlimited') return text;
  const count = Number(text);
  if (/^\+?\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw new HoldfastError(
    'usage',
    `not a number of snapshots: ${JSON.stringify(text)}; give a whole number or 'unlimited'`,
  );
}

/** Tags that a snapshot must all have; '' stands for having none at all. */
export type TagList = readonly string[];

/** What the rules look at. */
export interface DatedSnapshot {
  readonly id: string;
  /** As the snapshot has it, RFC 3339: its offset says where its days begin. */
  readonly time: string;
  /** `time` in nanoseconds since 1970. */
  readonly timeNs: bigint;
  readonly hostname: string;
  readonly paths: readonly string[];
  readonly tags: readonly string[];
}

export interface Retained<S extends DatedSnapshot> {
  /** Newest first, as is `remove`. */
  readonly keep: readonly S[];
  readonly remove: readonly S[];
  /** One for each of `keep`, in its order. */
  readonly reasons: readonly KeepReason<S>[];
}

export interface KeepReason<S extends DatedSnapshot> {
  readonly snapshot: S;
  /** restic's words: 'daily snapshot', 'oldest weekly snapshot', 'within 7d', 'has tags [a, b]'. */
  readonly matches: readonly string[];
  /** What was left of each count afterwards; -1 where it is unlimited. */
  readonly counters: Readonly<Record<CountedPeriod, number>>;
}

/** True where no rule is set: then nothing may be removed. */
export function isEmptyPolicy(policy: KeepPolicy): boolean {
  const counted = countedPeriods.some((period) => (policy.counts[period] ?? 0) !== 0);
  const durations = [policy.within, ...periods.map((period) => policy.withinEach[period])];
  return !counted && policy.tags.length === 0 && durations.every((duration) => isZero(duration));
}

/** A duration that keeps nothing by itself: restic takes it for not given. */
export function isZero(duration: Duration | undefined): boolean {
  return !duration || (duration.years === 0 && duration.months === 0 && duration.days === 0 && duration.hours === 0);
}
