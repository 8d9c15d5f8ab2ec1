import { textOf } from '../../bytes/fields.ts';
import { logWork } from '../../job/log-places.ts';
import type { ComponentContext } from '../../job/component.ts';
import type { StepCall, StepKind } from '../../plan/plan.ts';
import type { Rescued } from '../../source/in-place.ts';
import { overStateOf } from './half-over.ts';
import { replacementOf, type Replacement } from './replacement.ts';

/** Stores what the log of what is replaced has and no place holds: `arguments` as of `replacementOf`, and {stream}. */
export function rescuing(context: ComponentContext): StepKind {
  return {
    isDone: async () => 'unknown',
    run: async (call) => {
      const replacement = replacementOf(context, call);
      const { driver, places } = replacement;
      // The log that stands there then is no longer its own.
      if (overStateOf(places, driver.inPlace.over) === 'half over') return;
      await driver.inPlace.assertStopped(places.live);
      await rescueFrom(context, call, replacement);
    },
  };
}

/** Of what is live; undefined where no log is kept. */
export async function rescueFrom(
  context: ComponentContext,
  { step, signal }: StepCall,
  { component: name, driver, places }: Replacement,
): Promise<Rescued | undefined> {
  const { [name]: component } = context.policy.components;
  if (component?.log === undefined) return undefined;
  const stream = textOf(step.arguments['stream'], step.key);
  const work = logWork({ ...context, signal }, name, component);
  const rescued = await driver.inPlace.rescue(work, { place: places.live, stream });
  context.listener({ kind: 'note', name: 'log-rescued', data: { component: name, stored: rescued.stored } });
  return rescued;
}
