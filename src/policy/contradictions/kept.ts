import { countedPeriods, periods, type KeepPolicy } from '../../retention/keep.ts';
import type { Rule } from '../policy.ts';
import { longestGapMs } from '../schedule.ts';

const periodMs: Readonly<Record<(typeof periods)[number], number>> = {
  hourly: 3_600_000,
  daily: 86_400_000,
  weekly: 604_800_000,
  monthly: 2_592_000_000,
  quarterly: 7_776_000_000,
  yearly: 31_536_000_000,
};

/** How long the longest kept snapshot stays. */
export function longestKeptMs({ counts, within, withinEach, tags }: KeepPolicy, { when }: Rule): number {
  if (tags.length > 0) return Infinity;
  const counted = countedPeriods.map((period) => {
    const count = counts[period] === 'unlimited' ? Infinity : (counts[period] ?? 0);
    return count === 0 ? 0 : count * (period === 'last' ? longestGapMs(when) : periodMs[period]);
  });
  const durations = [within, ...periods.map((period) => withinEach[period])].map((one) =>
    one === undefined
      ? 0
      : one.years * periodMs.yearly +
        one.months * periodMs.monthly +
        one.days * periodMs.daily +
        one.hours * periodMs.hourly,
  );
  return Math.max(...counted, ...durations);
}
