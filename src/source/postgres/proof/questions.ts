import { HoldfastError } from '../../../errors/error.ts';
import type { Question, QueryAnswer } from '../../rehearsal.ts';
import { ServerError } from '../connect.ts';
import { identifierParts } from '../identifier.ts';
import type { SandboxedServer } from '../sandboxed-server.ts';
import type { RowCounts } from '../row-counts.ts';
import { firstOf } from './step.ts';

type Of<Kind extends Question['kind']> = Extract<Question, { kind: Kind }>;

/** A cluster that came up. */
export interface Answering extends Pick<SandboxedServer, 'in' | 'judged' | 'database'> {
  /** What the backup counted; undefined: nothing. */
  readonly counts?: RowCounts | undefined;
}

/** What a policy asks of it. */
export async function answer(server: Answering, question: Question): Promise<QueryAnswer> {
  try {
    switch (question.kind) {
      case 'sql':
        return await askOne(server, question, question.text);
      case 'orphans':
        return await askOne(server, question, orphansOf(question));
      case 'counts':
        return await compareCounts(server, question);
    }
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'refused') return { kind: 'lacking', reason: error.message };
    return server.judged(error);
  }
}

/** One value: of more, nobody could say which is meant. */
async function askOne(server: Answering, { database = server.database }: Question, sql: string): Promise<QueryAnswer> {
  const rows = await server.in(database, async (connection) => await connection.rows(sql));
  const [first] = rows;
  if (first === undefined) return { kind: 'nothing', what: 'no row' };
  const [value, ...more] = first;
  if (rows.length > 1 || more.length > 0 || value === undefined)
    return {
      kind: 'lacking',
      reason: `a check asks for one value; there were ${rows.length} rows of ${first.length} columns`,
    };
  return value === null ? { kind: 'nothing', what: 'NULL' } : { kind: 'value', text: value };
}

/** How many rows refer to one that is not there. NOT IN would find none as soon as one key is NULL. */
function orphansOf({ table, column, references }: Of<'orphans'>): string {
  const target = identifierParts(references);
  const [key, parent] = [target.at(-1) ?? '', target.slice(0, -1)];
  const [child, ...tooMany] = identifierParts(column);
  if (parent.length === 0 || child === undefined || tooMany.length > 0)
    throw new HoldfastError('refused', 'orphans: `column` names one column, and `references` a table and its column');
  return `select count(*) from ${identifierParts(table).join('.')} child where child.${child} is not null
    and not exists (select from ${parent.join('.')} parent where parent.${key} = child.${child})`;
}

const notThere: readonly string[] = ['42P01', '3D000'];

/** Rows of each table that was counted when the backup had ended, against those that are there now. */
async function compareCounts(server: Answering, { tolerance, database }: Of<'counts'>): Promise<QueryAnswer> {
  const { counts } = server;
  if (counts === undefined)
    return { kind: 'lacking', reason: 'the backup recorded no counts: `counts` of the component has it do so' };
  const meant = counts.counted.filter((one) => database === undefined || one.database === database);
  const left = counts.uncounted.filter((one) => database === undefined || one.database === database);
  const leftOut = left.map((one) => `${one.table} of ${one.database} was not counted: ${one.reason}`);
  if (meant.length === 0)
    return {
      kind: 'lacking',
      reason: leftOut.length === 0 ? 'no table was counted when it was backed up' : firstOf(leftOut),
    };
  const differing: string[] = [];
  for (const [name, tables] of Map.groupBy(meant, (one) => one.database))
    for (const { table, rows } of tables) {
      const now = await countOf(server, name, table);
      if (now === undefined || !isWithin(Number(now), Number(rows), tolerance))
        differing.push(`${table} of ${name} has ${now ?? 'no'} rows, and had ${rows}`);
    }
  const expected = `as many rows as were counted when it was backed up, within ${tolerance} %`;
  if (differing.length > 0) return { kind: 'judged', state: 'failed', expected, found: firstOf(differing) };
  const found = [`${meant.length} tables, as counted`, ...(leftOut.length === 0 ? [] : [firstOf(leftOut)])].join('; ');
  return { kind: 'judged', state: 'passed', expected, found };
}

async function countOf(server: Answering, database: string, table: string): Promise<string | undefined> {
  try {
    return await server.in(database, async (connection) => {
      const [[count] = []] = await connection.rows(`select count(*) from only ${table}`);
      return count ?? '0';
    });
  } catch (error) {
    if (error instanceof ServerError && notThere.includes(error.sqlState)) return undefined;
    throw error;
  }
}

function isWithin(now: number, before: number, tolerance: number): boolean {
  return Math.abs(now - before) <= (before * tolerance) / 100;
}
