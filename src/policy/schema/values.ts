import * as z from 'zod';
import { isZone } from '../../clock/zone.ts';
import { spanOf, spanPattern } from '../span.ts';

export { exactlyOne, secret } from '../../source/secret-reference.ts';

/**
 * The small values of a policy. `title` completes “needs …” in a message, `description` is its row of the reference,
 * the first of `examples` stands in the message and in editors.
 */
export const span = z
  .string()
  .regex(spanPattern)
  .transform(spanOf)
  .meta({ title: 'a length of time with its unit (s, m, h, d, w, mo, y)', examples: ['15m', '24h', '90d', '1y'] });

export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
  .meta({ title: 'a name of small letters, digits and hyphens, at most 63', examples: ['shop-db'] });

export const text = z.string().min(1).max(4096).meta({ title: 'a text' });

export const count = z
  .int()
  .min(1)
  .max(1_000_000)
  .meta({ title: 'a whole number, at least 1', examples: [3] });

const sizeUnits = { MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

export const size = z
  .string()
  .regex(/^[1-9]\d{0,5}(?:MiB|GiB|TiB)$/)
  .transform((text) => Number.parseInt(text, 10) * sizeUnits[text.slice(-3) as keyof typeof sizeUnits])
  .meta({ title: 'a size with its unit (MiB, GiB, TiB)', examples: ['4GiB'] });

export const zone = z
  .string()
  .refine(isZone)
  .meta({ title: 'a time zone of the IANA database, or UTC', examples: ['UTC', 'Europe/Kyiv'] });
