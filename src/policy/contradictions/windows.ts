import { baseRulesOf, type Component, type Policy, type Rule } from '../policy.ts';
import { longestGapMs } from '../schedule.ts';
import { spanText } from '../span.ts';
import type { Contradiction } from './contradictions.ts';
import { longestKeptMs } from './kept.ts';

/** A window holds whatever `keep` says; who reads the file should know what that takes, and where it is in vain. */
export function windowsAndBases({ components }: Policy): readonly Contradiction[] {
  return Object.entries(components).flatMap(([name, component]) =>
    Object.entries(component.log?.to ?? {}).flatMap(([place, { window }]) => {
      const message = said(component, place, window.ms);
      const path = ['components', name, 'log', 'to', place, 'window'];
      return message === undefined ? [] : [{ path, message, severity: 'warning' as const }];
    }),
  );
}

function said(component: Component, place: string, windowMs: number): string | undefined {
  const rules = baseRulesOf(component).map(([, rule]) => rule);
  if (rules.length === 0) return 'is in vain: no rule makes backups from which a log is replayed';
  const here = rules.filter(({ to }) => Object.hasOwn(to, place));
  const keeps = here.length > 0 ? here.flatMap((rule) => keptIn(rule, [place])) : rules.flatMap((rule) => keptIn(rule));
  const keptMs = Math.max(...keeps);
  const gapMs = Math.min(...rules.map(({ when }) => longestGapMs(when)));
  if (keptMs < windowMs)
    return `reaches back ${spanText(windowMs)}, and \`keep\` holds the backups ${here.length > 0 ? `in ${place} ` : ''}for ${spanText(keptMs)}: those that the window needs stay longer, one for each ${spanText(windowMs / 7)} or so`;
  if (gapMs >= 2 * windowMs && Number.isFinite(gapMs))
    return `has no effect below ${spanText(gapMs)}: the log goes back to a backup, and they are so far apart`;
  return undefined;
}

function keptIn(rule: Rule, places: readonly string[] = Object.keys(rule.to)): readonly number[] {
  return places.flatMap((place) => (rule.to[place] === undefined ? [] : [longestKeptMs(rule.to[place].keep, rule)]));
}
