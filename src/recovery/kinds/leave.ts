import { existsSync } from 'node:fs';
import { textOf } from '../../bytes/fields.ts';
import type { ComponentContext } from '../../job/component.ts';
import { leaveEpoch } from '../../job/leave-epoch.ts';
import { logWork } from '../../job/log-places.ts';
import type { StepCall } from '../../plan/plan.ts';
import type { Rescued } from '../../source/in-place.ts';
import type { Replacement } from './replacement.ts';

/**
 * Says in the places of the log that what was live is left for what stood there before, so that nobody follows it: not
 * what that goes on with itself. Where
 * nothing stood there, it is all that there is, and is followed on. A place that can't be told keeps nobody from an undo.
 */
export async function leave(
  context: ComponentContext,
  { step, hash, signal }: StepCall,
  { component: name, key, driver }: Replacement,
  { end }: Rescued,
): Promise<void> {
  const { [name]: component } = context.policy.components;
  if (component === undefined || !existsSync(key.old)) return;
  const work = logWork({ ...context, signal }, name, component);
  const leaving = { stream: textOf(step.arguments['stream'], step.key), reason: `undone: plan ${hash.slice(0, 12)}` };
  const untold =
    end === undefined
      ? work.places.map(({ repository }) => repository)
      : await leaveEpoch(work, { ...leaving, end, goesOn: await driver.inPlace.goesOnAs(key.old) });
  if (untold.length === 0) return;
  const message = `${untold.join(', ')} can’t be told which timeline was undone: a restore elsewhere may follow it until more of the log of what stands there now arrives: \`holdfast backup ${name}\` at once, once it runs, or \`--timeline\``;
  context.listener({ kind: 'warning', during: 'plan', item: name, message });
}
