import type { Duration } from '../../src/retention/duration.ts';
import type { KeepPolicy } from '../../src/retention/keep.ts';

/** A backup as keep rules see it. */
export interface Dated {
  readonly identity: string;
  readonly timeNs: bigint;
}

/**
 * What keep rules demand, written once more after restic's documentation, with nothing of src/retention but its types:
 * an oracle that makes the same mistakes is none. Times are in UTC.
 */
export function kept<D extends Dated>(held: readonly D[], { counts, within }: KeepPolicy): readonly D[] {
  const newestFirst = held.toSorted((a, b) => (a.timeNs < b.timeNs ? 1 : -1));
  const [newest] = newestFirst;
  if (newest === undefined) return [];
  const wanted = new Set<D>();
  if (within !== undefined)
    for (const one of newestFirst) if (one.timeNs > before(newest.timeNs, within)) wanted.add(one);
  for (const [period, bucketOf] of Object.entries(bucketsOf)) {
    const count = counts[period as keyof typeof bucketsOf] ?? 0;
    for (const one of keptByCount(newestFirst, bucketOf, count === 'unlimited' ? Infinity : count)) wanted.add(one);
  }
  return held.filter((one) => wanted.has(one));
}

/** The newest of each of the newest `count` periods that have one; the oldest of all, too, while some of the count is left. */
function keptByCount<D extends Dated>(newestFirst: readonly D[], bucketOf: Bucket, count: number): readonly D[] {
  const newestOfEach = new Map<string, D>();
  for (const [at, one] of newestFirst.entries()) {
    const bucket = bucketOf(new Temporal.ZonedDateTime(one.timeNs, 'UTC'), at);
    if (!newestOfEach.has(bucket)) newestOfEach.set(bucket, one);
  }
  const isSomeLeft = newestOfEach.size < count;
  return [...[...newestOfEach.values()].slice(0, count), ...(isSomeLeft ? newestFirst.slice(-1) : [])];
}

type Bucket = (time: Temporal.ZonedDateTime, at: number) => string;

const bucketsOf = {
  last: (_time, at) => String(at),
  hourly: (time) => time.toString().slice(0, 13),
  daily: (time) => time.toString().slice(0, 10),
  weekly: (time) => `${time.yearOfWeek}-${time.weekOfYear}`,
  monthly: (time) => time.toString().slice(0, 7),
  quarterly: (time) => `${time.year}-${Math.floor((time.month - 1) / 3)}`,
  yearly: (time) => String(time.year),
} as const satisfies Readonly<Record<string, Bucket>>;

function before(timeNs: bigint, { years, months, days, hours }: Duration): bigint {
  return new Temporal.ZonedDateTime(timeNs, 'UTC').subtract({ years, months, days, hours }).epochNanoseconds;
}
