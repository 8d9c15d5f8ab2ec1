import type { Component } from '../policy/policy.ts';
import type { LogPlace, LogWork } from '../source/log.ts';
import type { ComponentContext } from './component.ts';

/** The places that a component's log goes to; none where its policy has no log. */
export function logPlaces({ access }: Pick<ComponentContext, 'access'>, { log }: Component): readonly LogPlace[] {
  return Object.entries(log?.to ?? {}).map(([repository, { window, required }]) => ({
    repository,
    required,
    windowMs: window.ms,
    open: async () => await access(repository).open(),
  }));
}

export function logWork(context: ComponentContext, name: string, component: Component): LogWork {
  const { stateFolder, clock, signal, listener } = context;
  return { component: name, places: logPlaces(context, component), stateFolder, clock, signal, listener };
}
