import * as z from 'zod';
import { definitionOf } from './at.ts';

/** What is said of a schema beside its form; the outermost layer that says something counts. */
export interface Meta {
  /** Completes “needs …”. */
  readonly title?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly notBuilt?: boolean;
  /** What stands there by mistake may be a secret: not even a key of it is repeated. */
  readonly secretPlace?: boolean;
}

export function metaOf(schema: z.core.$ZodType): Meta {
  const own = (z.globalRegistry.get(schema) ?? {}) as Meta;
  const def = definitionOf(schema);
  const inner =
    def.type === 'optional' || def.type === 'default' ? def.innerType : def.type === 'pipe' ? def.in : undefined;
  return inner === undefined ? own : { ...metaOf(inner), ...own };
}

export function exampleOf(schema: z.core.$ZodType): string | undefined {
  const [example] = metaOf(schema).examples ?? [];
  return example === undefined ? undefined : typeof example === 'string' ? example : JSON.stringify(example);
}
