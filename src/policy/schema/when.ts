import { Cron } from 'croner';
import * as z from 'zod';
import { clockTimeOf, type Schedule } from '../schedule.ts';
import { exactlyOne, span } from './values.ts';

/** The keys that say when something is due; exactly one of them stands in a rule. */
export const whenKeys = {
  at: z
    .string()
    .refine((text) => clockTimeOf(text) !== undefined)
    .optional()
    .meta({
      title: 'a time of day, with days before and a zone behind it where wanted',
      description: 'each day, or on some days, at a time',
      examples: ['02:00', 'Sun 03:00 Europe/Kyiv'],
    }),
  every: span.optional().meta({ description: 'so long after the last', examples: ['6h'] }),
  cron: z
    .string()
    .refine(isCron)
    .optional()
    .meta({
      title: 'five fields of cron: minute, hour, day of month, month, day of week',
      description: 'by the fields of cron, in the policy’s time zone',
      examples: ['0 4 1 * *'],
    }),
  on: z
    .enum(['change', 'release'])
    .optional()
    .meta({ description: 'whenever something changed, or is released', examples: ['change'] }),
} as const;

type When = z.output<z.ZodObject<typeof whenKeys>>;

export function needsOneWhen(given: When, context: z.core.$RefinementCtx): void {
  exactlyOne(given, Object.keys(whenKeys), context);
}

export function scheduleOf({ at, every, cron, on }: When): Schedule {
  if (every !== undefined) return { kind: 'every', span: every };
  if (cron !== undefined) return { kind: 'cron', fields: cron };
  const time = at === undefined ? undefined : clockTimeOf(at);
  return time === undefined ? { kind: 'on', event: on ?? 'change' } : { kind: 'at', ...time };
}

function isCron(fields: string): boolean {
  try {
    return new Cron(fields, { mode: '5-part', paused: true }).nextRun() !== null; // the 31st of February never comes
  } catch {
    return false;
  }
}
