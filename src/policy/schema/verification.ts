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
  orphans: z
    .strictObject({
      table: text.meta({ description: 'whose rows refer to others' }),
      column: text.meta({ description: 'by which column' }),
      references: text.meta({ description: 'the table and its column that they refer to' }),
    })
    .optional()
    .meta({
      title: 'a reference',
      description: 'how many rows refer to one that is not there: none, where nothing else is expected (databases)',
      examples: [{ table: 'orders', column: 'customer_id', references: 'customers.id' }],
    }),
  counts: z
    .strictObject({
      tolerance: z
        .string()
        .regex(/^\d{1,3}(?:\.\d{1,3})?%$/)
        .default('0%')
        .transform((percent) => Number(percent.slice(0, -1)))
        .meta({ title: 'per cent', description: 'by how much a table may differ', examples: ['1%'] }),
    })
    .optional()
    .meta({
      description: 'whether tables have as many rows as the backup counted (databases)',
      examples: [{ tolerance: '1%' }],
    }),
  count: z.literal('files').optional().meta({ description: 'how many files there are' }),
  size: z.literal('bytes').optional().meta({ description: 'how many bytes there are' }),
} as const;

/** One question to what was restored, and the answer that is expected. */
const check = z
  .strictObject({
    'name': text.meta({ description: 'what the check is called in reports' }),
    'database': text.max(63).optional().meta({
      description: 'of a component with several: which is asked; without it that of the address, for counts each',
    }),
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
    tables: count.optional().meta({
      description:
        'how many random tables are read value by value: of a sample these alone, of a restore beside all else (databases)',
    }),
    checks: z.array(check).default([]).meta({ description: 'what the restored component is asked' }),
  })
  .superRefine(needsOneWhen)
  .transform(({ at, every, cron, on, ...rest }) => ({ ...rest, when: scheduleOf({ at, every, cron, on }) }))
  .meta({ title: 'a verification', examples: [{ every: '1d', from: 'nearest', do: 'restore' }] });
