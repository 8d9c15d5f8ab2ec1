import type * as z from 'zod';
import type { Path } from '../path.ts';

/** The schema of what stands at a path; undefined where it has no form of its own. */
export function schemaAt(schema: z.core.$ZodType, path: Path): z.core.$ZodType | undefined {
  let at: z.core.$ZodType | undefined = schema;
  for (const step of path) {
    if (at === undefined) return undefined;
    at = childOf(bare(at), step);
  }
  return at;
}

function childOf(schema: z.core.$ZodType, step: string | number): z.core.$ZodType | undefined {
  const def = definitionOf(schema);
  if (def.type === 'object') return Object.hasOwn(def.shape, step) ? def.shape[step] : undefined;
  if (def.type === 'record') return def.valueType;
  return def.type === 'array' ? def.element : undefined;
}

/** Without what is laid around it: defaults, transforms, “may be absent”. */
export function bare(schema: z.core.$ZodType): z.core.$ZodType {
  const def = definitionOf(schema);
  if (def.type === 'optional' || def.type === 'default') return bare(def.innerType);
  return def.type === 'pipe' ? bare(def.in) : schema;
}

/** The default of a key that may be absent, if it has one. */
export function defaultOf(schema: z.core.$ZodType): unknown {
  const def = definitionOf(schema);
  return def.type === 'default' ? def.defaultValue : undefined;
}

export function keysOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  const def = definitionOf(bare(schema));
  return def.type === 'object' ? def.shape : {};
}

export function definitionOf(schema: z.core.$ZodType): z.core.$ZodTypes['_zod']['def'] {
  return (schema as z.core.$ZodTypes)._zod.def;
}
