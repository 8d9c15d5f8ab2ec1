import type { Lacking } from '../source/probe.ts';
import type { ComponentContext } from './component.ts';
import { openSource } from './open-source.ts';

export interface LackingOf extends Lacking {
  readonly component: string;
}

/** What components need that is not there now. Changes nothing; says nothing of those without a driver or a probe. */
export async function probeComponents(
  context: Pick<ComponentContext, 'policy' | 'kinds' | 'clock' | 'readSecret' | 'listener' | 'signal'>,
): Promise<readonly LackingOf[]> {
  const lacking: LackingOf[] = [];
  for (const [name, component] of Object.entries(context.policy.components)) {
    if (context.kinds[component.source.kind]?.open === undefined) continue;
    const found = await openSource(context, name, component).probe?.(context);
    for (const one of found ?? []) lacking.push({ component: name, ...one });
  }
  return lacking;
}
