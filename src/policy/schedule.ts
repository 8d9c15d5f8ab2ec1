import { Cron } from 'croner';
import { dateOfNs } from '../clock/date.ts';
import { isZone } from '../clock/zone.ts';
import type { Span } from './span.ts';

/** When something is due. A zone that isn't given is the policy's. */
export type Schedule =
  | (ClockTime & { readonly kind: 'at' })
  | { readonly kind: 'every'; readonly span: Span }
  | { readonly kind: 'cron'; readonly fields: string }
  | { readonly kind: 'on'; readonly event: 'change' | 'release' };

export interface ClockTime {
  /** 1 is Monday, 7 Sunday; all seven where none is named. */
  readonly days: readonly number[];
  readonly hour: number;
  readonly minute: number;
  readonly zone: string | undefined;
}

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** `02:00`, `Sun 03:00`, `Mon,Thu 22:30 Europe/Kyiv`. */
export function clockTimeOf(text: string): ClockTime | undefined {
  const found = /^(?:(?<days>[A-Za-z]{3}(?:,[A-Za-z]{3})*) )?(?<hour>\d{2}):(?<minute>\d{2})(?: (?<zone>\S+))?$/.exec(
    text,
  );
  if (found?.groups === undefined) return undefined;
  const { days, zone } = found.groups;
  const [hour, minute] = [Number(found.groups['hour']), Number(found.groups['minute'])];
  const named = days?.split(',').map((day) => weekdays.findIndex((each) => each === day.toLowerCase()) + 1);
  if (hour > 23 || minute > 59 || named?.includes(0) === true || (zone !== undefined && !isZone(zone)))
    return undefined;
  return { days: named ?? [1, 2, 3, 4, 5, 6, 7], hour, minute, zone };
}

/**
 * The first moment after another at which a schedule is due, in milliseconds since 1970; undefined where only an event
 * tells. A time that the clocks leap over comes right after the leap; one that they show twice is the first of both.
 */
export function dueAfter(schedule: Schedule, afterMs: number, timezone: string): number | undefined {
  switch (schedule.kind) {
    case 'every':
      return afterMs + schedule.span.ms;
    case 'cron':
      return new Cron(schedule.fields, { mode: '5-part', paused: true, timezone })
        .nextRun(dateOfNs(BigInt(afterMs) * 1_000_000n))
        ?.getTime();
    case 'at':
      return dueAt(schedule, afterMs, schedule.zone ?? timezone);
    case 'on':
      return undefined;
  }
}

function dueAt({ days, hour, minute }: ClockTime, afterMs: number, zone: string): number | undefined {
  const from = Temporal.Instant.fromEpochMilliseconds(afterMs).toZonedDateTimeISO(zone).toPlainDate();
  // Not a day later than in a week and a day: today's time may have passed.
  return Array.from({ length: 9 }, (_, ahead) => from.add({ days: ahead }))
    .filter((date) => days.includes(date.dayOfWeek))
    .map((date) => date.toZonedDateTime({ timeZone: zone, plainTime: { hour, minute } }).epochMilliseconds)
    .find((ms) => ms > afterMs);
}

const dayMs = 86_400_000;

/**
 * The longest time between two runs, as clocks without summer time show it; Infinity where only an event tells.
 * Of cron's fields a year is tried, at most two thousand runs.
 */
export function longestGapMs(schedule: Schedule): number {
  switch (schedule.kind) {
    case 'every':
      return schedule.span.ms;
    case 'at':
      return longestWait(schedule.days) * dayMs;
    case 'cron':
      return longestCronGapMs(schedule);
    case 'on':
      return Infinity;
  }
}

/** In days of a week that goes round. */
function longestWait(days: readonly number[]): number {
  const sorted = days.toSorted((a, b) => a - b);
  return Math.max(...sorted.map((day, at) => (sorted[at + 1] ?? (sorted[0] ?? day) + 7) - day));
}

/** The year 2027, for fields of cron. */
const trial = { fromMs: 1_798_761_600_000, toMs: 1_830_297_600_000 };

function longestCronGapMs(schedule: Schedule): number {
  let [at, longest] = [trial.fromMs, 0];
  for (let runs = 0; runs < 2000 && at < trial.toMs; runs += 1) {
    const next = dueAfter(schedule, at, 'UTC');
    if (next === undefined) return Infinity;
    if (runs > 0) longest = Math.max(longest, next - at);
    at = next;
  }
  return longest;
}
