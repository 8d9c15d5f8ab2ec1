import type { Policy } from '../policy.ts';
import { spanText } from '../span.ts';
import type { Contradiction } from './contradictions.ts';
import { longestKeptMs } from './kept.ts';

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
