import { silent } from '../events/events.ts';
import { placesOf } from '../policy/policy.ts';
import type { ComponentContext, RuleOf } from './component.ts';
import { dueIn } from './due-base.ts';
import { listLogs } from './logs.ts';
import { listPoints } from './points.ts';

/** Of a cluster that was upgraded the log of before is held beside its own, and may be all that is dated. */
interface StreamRule extends RuleOf {
  readonly stream: string;
}

/**
 * Whether a base backup is due for one stream of a component's log, and none was made by this rule that began since a time: where one is due all the
 * same, another would not help either. Rejects where that can't be known: the place that a rule's backups go to does not
 * answer, or none seems due while a place that the log has to be in doesn't tell what it holds.
 */
export async function isBaseDue(
  context: ComponentContext,
  { name, component, ruleName, rule, stream }: StreamRule,
  sinceNs?: bigint,
): Promise<boolean> {
  const quiet = { ...context, listener: silent };
  const { points, unknown } = await listPoints(quiet, [name]);
  const unmade = unknown.find(({ repository }) => repository === placesOf(rule)[0]);
  if (unmade !== undefined) throw unmade.error;
  const logs = await listLogs(quiet, [name], points);
  if (dueIn(logs.logs, name, points, stream) !== undefined) {
    const made = points.filter((point) => point.rule === ruleName && point.log !== undefined);
    return sinceNs === undefined || !made.some(({ timeNs }) => timeNs >= sinceNs);
  }
  const untold = logs.unknown.find(({ repository }) => component.log?.to[repository]?.required);
  if (untold !== undefined) throw untold.error;
  return false;
}
