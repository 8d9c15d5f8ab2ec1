import * as z from 'zod';
import { HoldfastError } from '../../../errors/error.ts';
import { databaseFacts, needs } from './databases.ts';

const dumped = databaseFacts.extend({
  ...needs.shape,
  /** Below the component's folder: a file, or for the format directory a folder. */
  path: z.string().regex(/^databases\/[^/\0]+$/),
  format: z.enum(['custom', 'directory']),
  bytes: z.number(),
});

const description = z.object({
  format: z.literal(1),
  method: z.literal('logical'),
  version: z.string(),
  major: z.int(),
  /** What the address leads to. */
  database: z.string(),
  superuser: z.string(),
  globals: z.enum(['with passwords', 'without passwords', 'none']),
  databases: z.array(dumped),
});

/** What was dumped: `postgres.json` of a logical backup. */
export type LogicalDescription = z.output<typeof description>;
export type DumpedDatabase = LogicalDescription['databases'][number];

export function describeDumps(described: LogicalDescription): string {
  return `${JSON.stringify(described, null, 2)}\n`;
}

/** 'damaged' where it is none, or of a form that this version doesn't know. */
export function parseLogicalDescription(text: string): LogicalDescription {
  const parsed = description.safeParse(asJson(text));
  if (parsed.success) return parsed.data;
  throw new HoldfastError('damaged', 'postgres.json of the snapshot is none of a logical backup that is known here');
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // said by who asks
  }
}

/** The name of a database as that of a file. */
export function fileNameOf(database: string): string {
  return encodeURIComponent(database.toWellFormed());
}

/** The one that is named; the only one beside the server's own `postgres`. */
export function chosen({ databases }: LogicalDescription, part: string | undefined): DumpedDatabase {
  const names = databases.map(({ name }) => name);
  if (part !== undefined) {
    const found = databases.find(({ name }) => name === part);
    if (found !== undefined) return found;
    throw new HoldfastError('point-not-found', `the point holds no database ${part}; it holds ${names.join(', ')}`);
  }
  const own = databases.length === 1 ? databases : databases.filter(({ name }) => name !== 'postgres');
  const [only] = own;
  if (only !== undefined && own.length === 1) return only;
  throw new HoldfastError('usage', `which database? --database NAME, one of ${names.join(', ')}`);
}
