import { rawPathOf } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Component } from '../policy/policy.ts';
import type { ExternalPoints } from '../source/external.ts';
import type { OpenedSource, Source } from '../source/source.ts';
import type { ComponentContext } from './component.ts';

type Context = Pick<ComponentContext, 'kinds' | 'clock' | 'readSecret' | 'cacheFolder'>;

/** The source of a component; 'unsupported' where this version has no driver for it. */
export function openSource(
  { kinds, clock, readSecret, cacheFolder }: Context,
  name: string,
  { source: { kind, options } }: Component,
  method?: string,
): OpenedSource {
  const open = kinds[kind]?.open;
  if (open === undefined)
    throw new HoldfastError(
      'unsupported',
      `${name}: ${kind} is not built yet; \`command:\` with a dump works meanwhile`,
    );
  const leftOut = cacheFolder === undefined ? [] : [rawPathOf(`${cacheFolder}/holdfast`)];
  return open(options, { component: name, clock, readSecret, method, leftOut });
}

/** One whose content goes into repositories; 'unsupported' where it has none to read. */
export function openReadable(
  context: Context,
  name: string,
  component: Component,
  method?: string,
): OpenedSource & { readonly source: Source } {
  const { source, ...opened } = openSource(context, name, component, method);
  if (source !== undefined) return { ...opened, source };
  const own = Object.keys(component.source.places).join(', ');
  throw new HoldfastError('unsupported', `${name} holds its points in ${own}: nothing of it goes into a repository`);
}

/** One that holds points in places of its own; 'unsupported' where it can't. */
export function openExternal(context: Context, name: string, component: Component): ExternalPoints {
  const { external } = openSource(context, name, component);
  if (external !== undefined) return external;
  throw new HoldfastError('unsupported', `${name} has no places of its own: its points go into repositories`);
}
