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
      return nextRunMs(cronOf(schedule.fields, timezone), afterMs);
    case 'at':
      return dueAt(schedule, afterMs, schedule.zone ?? timezone);
    case 'on':
      return undefined;
  }
}

function cronOf(fields: string, timezone: string): Cron {
  return new Cron(fields, { mode: '5-part', paused: true, timezone });
}

function nextRunMs(cron: Cron, afterMs: number): number | undefined {
  return cron.nextRun(dateOfNs(BigInt(afterMs) * 1_000_000n))?.getTime();
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
 * Of cron's fields a year is tried where they name days of a month or months, at most two thousand runs.
 */
export function longestGapMs(schedule: Schedule): number {
  switch (schedule.kind) {
    case 'every':
      return schedule.span.ms;
    case 'at':
      return longestWait(schedule.days) * dayMs;
    case 'cron':
      return longestCronGapMs(schedule.fields);
    case 'on':
      return Infinity;
  }
}

/** In days of a week that goes round. */
function longestWait(days: readonly number[]): number {
  const sorted = days.toSorted((a, b) => a - b);
  return Math.max(...sorted.map((day, at) => (sorted[at + 1] ?? (sorted[0] ?? day) + 7) - day));
}

/** For fields of cron: the beginning of 2027. */
const trialMs = 1_798_761_600_000;

/** Twice what it takes until runs repeat, or a year. Each run is dear to find, and every command reads the policy. */
function trialDays(fields: string): number {
  const [, , day, month, weekday] = fields.trim().split(/\s+/);
  // The nth or the last of its weekday goes by months, too.
  if (day !== '*' || month !== '*' || /[#L]/i.test(weekday ?? '')) return 365;
  return weekday === '*' ? 2 : 14;
}

function longestCronGapMs(fields: string): number {
  const cron = cronOf(fields, 'UTC');
  const toMs = trialMs + trialDays(fields) * dayMs;
  let [at, longest] = [trialMs, 0];
  for (let runs = 0; runs < 2 || (runs < 2000 && at < toMs); runs += 1) {
    const next = nextRunMs(cron, at);
    if (next === undefined) return Infinity;
    if (runs > 0) longest = Math.max(longest, next - at);
    at = next;
  }
  return longest;
}
