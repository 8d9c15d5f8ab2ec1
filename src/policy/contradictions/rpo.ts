import { objectiveOf, type Component, type Policy } from '../policy.ts';
import { longestGapMs } from '../schedule.ts';
import { spanText } from '../span.ts';
import type { Contradiction } from './contradictions.ts';

/** An RPO that no rule can keep, even if every backup took no time and succeeded. */
export function intervalAboveRpo(policy: Policy): readonly Contradiction[] {
  return Object.entries(policy.components).flatMap(([name, component]) => {
    const { rpo } = objectiveOf(policy, component);
    if (rpo === undefined) return [];
    const gapMs = shortestGapMs(component);
    if (gapMs <= rpo.ms) return [];
    const path = ['components', name];
    const said = Number.isFinite(gapMs) ? `its backups are ${spanText(gapMs)} apart` : 'nothing runs by the clock';
    return [
      { path, key: name, message: `the tier ${String(component.tier)} wants an RPO of ${rpo.text}, and ${said}` },
    ];
  });
}

/** Of the rule that runs most often; a stream counts as seconds, an archived log by how often a segment is closed. */
function shortestGapMs({ backups, log }: Component): number {
  const gaps = Object.values(backups).map(({ when }) => longestGapMs(when));
  if (log !== undefined) gaps.push(log.mode === 'stream' ? 10_000 : (log.every?.ms ?? 300_000));
  return Math.min(...gaps);
}
