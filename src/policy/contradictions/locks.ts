import { countedPeriods, periods, type KeepPolicy } from '../../retention/keep.ts';
import type { Policy, Rule } from '../policy.ts';
import { longestGapMs } from '../schedule.ts';
import { spanText } from '../span.ts';
import type { Contradiction } from './contradictions.ts';

/** What is to go before its lock ends stays until then, and costs until then. */
export function keptShorterThanLocked({ components, repositories }: Policy): readonly Contradiction[] {
  return Object.entries(components).flatMap(([name, { backups }]) =>
    Object.entries(backups).flatMap(([ruleName, rule]) =>
      Object.entries(rule.to).flatMap(([place, { keep }]) => {
        const lockMs = repositories[place]?.lock?.for.ms ?? 0;
        const keptMs = lockMs === 0 ? Infinity : longestKeptMs(keep, rule);
        if (keptMs >= lockMs) return [];
        const more = (lockMs / Math.max(keptMs, 1)).toFixed(1);
        const message = `keeps for ${spanText(keptMs)} what ${place} locks for ${spanText(lockMs)}: it stays, and costs about ${more} times as much space`;
        const path = ['components', name, 'backups', ruleName, 'to', place, 'keep'];
        return [{ path, message, severity: 'warning' as const }];
      }),
    ),
  );
}

const periodMs: Readonly<Record<(typeof periods)[number], number>> = {
  hourly: 3_600_000,
  daily: 86_400_000,
  weekly: 604_800_000,
  monthly: 2_592_000_000,
  quarterly: 7_776_000_000,
  yearly: 31_536_000_000,
};

/** How long the longest kept snapshot stays. */
function longestKeptMs({ counts, within, withinEach, tags }: KeepPolicy, { when }: Rule): number {
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
