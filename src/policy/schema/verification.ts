import * as z from 'zod';
import { commandLine } from '../../source/kinds.ts';
import { count, exactlyOne, name, span, text } from './values.ts';
import { needsOneWhen, scheduleOf, whenKeys } from './when.ts';

const amount = z.number().meta({ title: 'a number', examples: [1000] });

const subjects = {
  sql: text
    .optional()
    .meta({ description: 'a query with one value (databases)', examples: ['select count(*) from users'] }),
  command: commandLine.optional().meta({
    description: 'a command in a sandbox; exit code 0, and its output against the expectation where there is one',
  }),
  http: text.optional().meta({
    description: 'an address of the started service; a path alone is below HOLDFAST_URL, as start prints it',
    examples: ['/health'],
  }),
  checksums: z
    .enum(['snapshot', 'source'])
    .optional()
    .meta({ description: 'every file’s bytes against the snapshot, or against the live source' }),
  count: z.literal('files').optional().meta({ description: 'how many files there are' }),
  size: z.literal('bytes').optional().meta({ description: 'how many bytes there are' }),
} as const;

/** One question to what was restored, and the answer that is expected. */
const check = z
  .strictObject({
    'name': text.meta({ description: 'what the check is called in reports' }),
    ...subjects,
    'equals': z.union([amount, z.string()]).optional().meta({ description: 'exactly this' }),
    'at-least': amount.optional().meta({ description: 'not below' }),
    'at-most': amount.optional().meta({ description: 'not above' }),
    'between': z
      .tuple([amount, amount])
      .optional()
      .meta({ description: 'from … to', examples: [[10, 20]] }),
    'within': span.optional().meta({ description: 'a time not older than' }),
  })
  .superRefine((given, context) => exactlyOne(given, Object.keys(subjects), context))
  .meta({ title: 'a check', examples: [{ 'name': 'files there', 'count': 'files', 'at-least': 1 }] });

/** A proof of a component's backups that is made again and again. */
export const verification = z
  .strictObject({
    ...whenKeys,
    from: name.default('nearest').meta({ description: 'which copy: nearest, each, or a repository' }),
    do: z
      .enum(['structure', 'data', 'sample', 'restore'])
      .default('restore')
      .meta({ description: 'how far: names and sizes, every byte, random parts, or a whole restore with its checks' }),
    files: count.optional().meta({ description: 'of a sample: how many random files' }),
    tables: count.optional().meta({ description: 'of a sample: how many random tables (databases)' }),
    checks: z.array(check).default([]).meta({ description: 'what the restored component is asked' }),
  })
  .superRefine(needsOneWhen)
  .transform(({ at, every, cron, on, ...rest }) => ({ ...rest, when: scheduleOf({ at, every, cron, on }) }))
  .meta({ title: 'a verification', examples: [{ every: '1d', from: 'nearest', do: 'restore' }] });
