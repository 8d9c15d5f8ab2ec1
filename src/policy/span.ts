import type { Duration } from '../retention/duration.ts';

/** A length of time as a policy says it: `15m`, `24h`, `90d`, `12w`, `6mo`, `1y`. */
export interface Span {
  readonly text: string;
  /** A month counts 30 days here, a year 365. */
  readonly ms: number;
  /** The same on the calendar, for retention; parts below an hour are in `ms` alone. */
  readonly calendar: Duration;
}

const units = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, mo: 2_592_000, y: 31_536_000 } as const;

/** Not nothing: what is done every 0 s would never end. */
export const spanPattern = /^(?=.*[1-9])(?:\d{1,6}(?:s|mo|m|h|d|w|y))+$/;

/** Of a text that matches `spanPattern`. */
export function spanOf(text: string): Span {
  const counts: Record<keyof typeof units, number> = { s: 0, m: 0, h: 0, d: 0, w: 0, mo: 0, y: 0 };
  for (const [, digits, unit] of text.matchAll(/(\d+)(s|mo|m|h|d|w|y)/g))
    counts[unit as keyof typeof units] += Number(digits);
  const ms = Object.entries(counts).reduce((sum, [unit, n]) => sum + n * units[unit as keyof typeof units] * 1000, 0);
  const { y: years, mo: months, w, d, h: hours } = counts;
  return { text, ms, calendar: { years, months, days: d + 7 * w, hours } };
}

/** In the largest unit that leaves two digits. */
export function roughText(ms: number): string {
  if (ms < 1000) return 'under 1 s';
  const unit = ms >= 172_800_000 ? 86_400_000 : ms >= 7_200_000 ? 3_600_000 : ms >= 120_000 ? 60_000 : 1000;
  return spanText(Math.round(ms / unit) * unit);
}

/** The largest whole unit: `90 min`, `36 h`, `12 d`. */
export function spanText(ms: number): string {
  const steps = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ] as const;
  const [unitMs, unit] = steps.find(([each]) => ms >= each && ms % each === 0) ?? [1000, 's'];
  return `${Math.round(ms / unitMs)} ${unit}`;
}
