import { rawPathOf } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Component } from '../policy/policy.ts';
import type { OpenedSource } from '../source/source.ts';
import type { ComponentContext } from './component.ts';

/** The source of a component, ready to be walked; 'unsupported' where this version has no driver for it. */
export function openSource(
  { kinds, clock, cacheFolder }: Pick<ComponentContext, 'kinds' | 'clock' | 'cacheFolder'>,
  name: string,
  { source: { kind, options } }: Component,
): OpenedSource {
  const open = kinds[kind]?.open;
  if (open === undefined)
    throw new HoldfastError(
      'unsupported',
      `${name}: ${kind} is not built yet; \`command:\` with a dump works meanwhile`,
    );
  const leftOut = cacheFolder === undefined ? [] : [rawPathOf(`${cacheFolder}/holdfast`)];
  return open(options, { component: name, clock, leftOut });
}
