import * as z from 'zod';
import type { KeepPolicy } from '../../retention/keep.ts';
import type { Span } from '../span.ts';
import { span, text } from './values.ts';

const kept = z
  .union([z.int().min(1).max(1_000_000), z.literal('unlimited')])
  .optional()
  .meta({ title: 'a whole number, or unlimited', examples: [7] });
const within = span.optional().meta({ examples: ['90d'] });

/** What is kept in a place: by restic's rules, so that `restic forget` would decide the same. */
export const keep = z
  .strictObject({
    'last': kept.meta({ description: 'the newest n snapshots' }),
    'hourly': kept.meta({ description: 'the newest of each of the last n hours that have one' }),
    'daily': kept.meta({ description: 'the newest of each of the last n days that have one' }),
    'weekly': kept.meta({ description: 'the newest of each of the last n weeks that have one' }),
    'monthly': kept.meta({ description: 'the newest of each of the last n months that have one' }),
    'quarterly': kept.meta({ description: 'the newest of each of the last n quarters that have one' }),
    'yearly': kept.meta({ description: 'the newest of each of the last n years that have one' }),
    'within': within.meta({ description: 'everything so long before the newest' }),
    'within-hourly': within.meta({ description: 'one an hour so long before the newest' }),
    'within-daily': within.meta({ description: 'one a day so long before the newest' }),
    'within-weekly': within.meta({ description: 'one a week so long before the newest' }),
    'within-monthly': within.meta({ description: 'one a month so long before the newest' }),
    'within-quarterly': within.meta({ description: 'one a quarter so long before the newest' }),
    'within-yearly': within.meta({ description: 'one a year so long before the newest' }),
    'tags': z.array(text).optional().meta({ description: 'everything with one of these tags' }),
  })
  .superRefine((given, context) => {
    if (Object.keys(given).length === 0) context.addIssue({ code: 'custom', message: 'says nothing to keep' });
    for (const [key, value] of Object.entries(given)) {
      const isSubHour = typeof value === 'object' && 'calendar' in value && value.ms % 3_600_000 !== 0;
      if (isSubHour) context.addIssue({ code: 'custom', message: 'needs whole hours', path: [key] });
    }
  })
  .transform(keepPolicyOf)
  .meta({ title: 'what to keep', examples: [{ daily: 30, weekly: 12 }] });

function keepPolicyOf(given: Readonly<Record<string, unknown>>): KeepPolicy {
  const of = (key: string): Span['calendar'] | undefined => (given[key] as Span | undefined)?.calendar;
  const counts = Object.fromEntries(
    (['last', 'hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly'] as const)
      .filter((key) => key in given)
      .map((key) => [key, given[key]]),
  ) as KeepPolicy['counts'];
  const withinEach = Object.fromEntries(
    (['hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly'] as const)
      .filter((key) => `within-${key}` in given)
      .map((key) => [key, of(`within-${key}`)]),
  ) as KeepPolicy['withinEach'];
  const tags = (given['tags'] as readonly string[] | undefined) ?? [];
  return { counts, within: of('within'), withinEach, tags: tags.map((tag) => [tag]) };
}
