import type { ComponentContext } from '../job/component.ts';
import { call } from '../plan/attempt.ts';
import type { Component } from '../policy/policy.ts';
import type { Obstacle } from '../source/in-place.ts';
import type { InPlaceOptions } from './in-place.ts';
import { stepKinds } from './kinds.ts';
import { around } from './steps.ts';

/**
 * Throws what no step of a plan will take out of its way: hours of a restore would end there, and be turned back. A dry run
 * tells it. What the policy’s own words say is stopped already, its `stop` is never asked to stop.
 */
export async function assertGoesAway(
  context: ComponentContext,
  { component, isSeen, error, mode }: InTheWay,
): Promise<void> {
  const { [component]: policy } = context.policy.components;
  const stopped = policy === undefined ? 'done' : await howStopped(context, policy);
  if (stopped === 'not done' || (stopped === 'unknown' && isSeen)) return;
  if (stopped === 'done' && mode === 'execute') throw error;
  const message =
    stopped === 'done'
      ? error.message
      : `${error.message}: unless \`stop:\` sees to that, all that is restored until then is turned back. ${error.next}`;
  context.listener({ kind: 'warning', during: 'plan', item: component, message });
}

interface InTheWay extends Obstacle, Pick<InPlaceOptions, 'component' | 'mode'> {}

/** 'done' where the plan stops nothing. */
async function howStopped(context: ComponentContext, component: Component): Promise<'done' | 'not done' | 'unknown'> {
  const [stop] = around(component, 'no');
  if (stop === undefined) return 'done';
  const { clock, signal } = context;
  const calling = { kinds: stepKinds(context), hash: '', clock };
  return await call(calling, stop, { attempt: 0, signal }, async (kind, one) => await kind.isDone(one));
}
