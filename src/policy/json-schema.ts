import * as z from 'zod';
import { fragments, policy } from './schema/top.ts';

/** The form of a policy file as JSON Schema (2020-12), for editors to complete and check by. */
export function jsonSchema(): Readonly<Record<string, unknown>> {
  const whole = z.toJSONSchema(policy, { io: 'input', unrepresentable: 'any' });
  const more = Object.fromEntries(Object.entries(fragments).map(([key, description]) => [key, { description }]));
  return { ...whole, properties: { ...whole.properties, ...more } };
}
