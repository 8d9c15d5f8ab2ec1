import { dateOfDay, dayOfDate } from '../bytes/calendar.ts';
import type { Zone } from '../clock/zone.ts';
import { HoldfastError } from '../errors/error.ts';

/** A span of the calendar, as `1y5m7d2h`: how long a month is depends on where one stands. */
export interface Duration {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

const units = { y: 'years', m: 'months', d: 'days', h: 'hours' } as const satisfies Record<string, keyof Duration>;

/**
 * Parses `1y5m7d2h`: numbers with a unit, in any order; of a unit given twice the last counts, as in restic. Empty
 * is zero. Negative numbers are refused.
 */
export function parseDuration(text: string): Duration {
  const duration = { years: 0, months: 0, days: 0, hours: 0 };
  const trimmed = text.trim();
  if (!/^(?:\d+[ymdh])*$/.test(trimmed)) throw notADuration(text);
  for (const [, digits, unit] of trimmed.matchAll(/(\d+)([ymdh])/g)) {
    const count = Number(digits);
    if (!Number.isSafeInteger(count)) throw notADuration(text);
    duration[units[unit as keyof typeof units]] = count;
  }
  return duration;
}

/** As restic writes it: years, months, days, hours, without what is zero. */
export function formatDuration({ years, months, days, hours }: Duration): string {
  const parts = [
    [years, 'y'],
    [months, 'm'],
    [days, 'd'],
    [hours, 'h'],
  ] as const;
  return parts.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('');
}

/**
 * The instant `duration` before another. Years, months and days are taken off the calendar of `zone`, where a day
 * that a month doesn't have counts into the next (31 March less a month is 3 March); hours are elapsed time.
 */
export function subtractDuration(fromNs: bigint, duration: Duration, zone: Zone): bigint {
  const seconds = floorSeconds(fromNs);
  const local = seconds + zone.offsetAt(seconds);
  const day = Math.floor(local / 86_400);
  const { year, month, dayOfMonth } = dateOfDay(day);
  const months = (year - duration.years) * 12 + (month - 1) - duration.months;
  const start = dayOfDate(Math.floor(months / 12), modulo(months, 12) + 1, 1);
  const wall = (start + dayOfMonth - 1 - duration.days) * 86_400 + (local - day * 86_400);
  const nanos = fromNs - BigInt(seconds) * billion;
  return (BigInt(instantOf(wall, zone)) - BigInt(duration.hours) * 3600n) * billion + nanos;
}

const billion = 1_000_000_000n;

export function floorSeconds(ns: bigint): number {
  const seconds = ns / billion;
  return Number(ns < seconds * billion ? seconds - 1n : seconds);
}

/** When clocks in `zone` show `wall`. Where they show it twice or never, as Go decides. */
function instantOf(wall: number, zone: Zone): number {
  const guess = wall - zone.offsetAt(wall);
  return wall - zone.offsetAt(guess);
}

function modulo(value: number, by: number): number {
  return value - Math.floor(value / by) * by;
}

function notADuration(text: string): HoldfastError {
  return new HoldfastError(
    'usage',
    `not a duration: ${JSON.stringify(text)}; write it like 1y5m7d2h (years, months, days, hours)`,
  );
}
