import * as z from 'zod';
import type { SourceKinds } from '../source/kinds.ts';
import { fragments, policyOf } from './schema/top.ts';

/** The form of a policy file as JSON Schema (2020-12), for editors to complete and check by. */
export function jsonSchema(kinds: SourceKinds): Readonly<Record<string, unknown>> {
  const whole = z.toJSONSchema(policyOf(kinds), { io: 'input', unrepresentable: 'any' });
  const more = Object.fromEntries(Object.entries(fragments).map(([key, description]) => [key, { description }]));
  return { ...whole, properties: { ...whole.properties, ...more } };
}
