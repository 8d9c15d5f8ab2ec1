import * as z from 'zod';
import type { Clock } from '../../clock/clock.ts';
import { HoldfastError } from '../../errors/error.ts';
import { connectTo, ServerError, unhurried, type ServerConnection } from './connect.ts';
import { identifierParts } from './identifier.ts';

/** How many rows tables had when a backup had ended, as its postgres.json tells it. */
export const rowCounts = z.object({
  counted: z.array(z.object({ database: z.string(), table: z.string(), rows: z.string().regex(/^\d+$/) })),
  uncounted: z.array(z.object({ database: z.string(), table: z.string(), reason: z.string() })),
});

export type RowCounts = z.output<typeof rowCounts>;

export interface CountOptions {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** As SQL takes them; without it all, the smallest first. */
  readonly tables: readonly string[] | undefined;
  /** How long counting may take altogether. */
  readonly forMs: number;
}

interface Listed {
  readonly database: string;
  readonly table: string;
  readonly oid: string;
  readonly persistence: string;
}

/** A policy of a cluster with more tables names those that matter. */
const mostTables = 10_000;

/**
 * Which tables are to be counted: asked for before a backup begins, so that each stands in its copy, too. Call what it
 * gives once the backup has ended: rows are counted as of then, exactly, each database in one snapshot of its own, and
 * what the time doesn't suffice for, or the role may not read, is told. Nothing that goes wrong here is thrown.
 */
export async function toBeCounted(options: CountOptions): Promise<() => Promise<RowCounts>> {
  const listed: Listed[] = [];
  const counts: RowCounts = { counted: [], uncounted: [] };
  await told(options, counts, '', async () => {
    await using server = await connectTo({ ...options, use: 'statements' });
    const databases = await server.rows(
      'select datname from pg_database where datallowconn and not datistemplate order by datname',
    );
    for (const [database] of databases)
      await told(options, counts, database ?? '', async () => {
        await using inside = await connectTo({ ...options, database: database ?? '', use: 'statements' });
        listed.push(...(await tablesIn(inside, database ?? '', options.tables)));
      });
  });
  return async () => await countAll(listed, counts, options);
}

/** What befalls one database is its reason, and the next is asked. */
async function told(
  { signal }: CountOptions,
  { uncounted }: RowCounts,
  database: string,
  body: () => Promise<void>,
): Promise<void> {
  try {
    await body();
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof HoldfastError)) throw error;
    uncounted.push({ database, table: '*', reason: error.message });
  }
}

/** By what was noted when they were last analysed: to ask how large a table is waits for whoever has it locked. */
const allTables = `select format('%I.%I', nspname, relname), pg_class.oid, relpersistence from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
  where relkind in ('r', 'm') and relispopulated and relpersistence <> 't'
  and nspname !~ '^pg_' and nspname <> 'information_schema' order by relpages, 1 limit ${mostTables}`;

async function tablesIn(
  server: ServerConnection,
  database: string,
  wanted: readonly string[] | undefined,
): Promise<readonly Listed[]> {
  const rows = await server.rows(allTables);
  const all = rows.map(([table, oid, persistence]) => ({
    database,
    table: table ?? '',
    oid: oid ?? '',
    persistence: persistence ?? '',
  }));
  if (wanted === undefined) return all;
  const names = new Set(wanted.map((name) => ['"public"', ...identifierParts(name)].slice(-2).join('.')));
  return all.filter(({ table }) => names.has(identifierParts(table).join('.')));
}

async function countAll(listed: readonly Listed[], counts: RowCounts, options: CountOptions): Promise<RowCounts> {
  const untilMs = options.clock.monotonicMs() + options.forMs;
  for (const [database, tables] of Map.groupBy(listed, (one) => one.database))
    await told(options, counts, database, async () => {
      await using server = await connectTo({ ...options, database, use: 'statements', settings: unhurried });
      await server.rows('begin isolation level repeatable read read only');
      for (const table of tables)
        await countOne(server, table, counts, Math.floor(untilMs - options.clock.monotonicMs()));
    });
  return counts;
}

/** Why one was not counted, where it is not what the server says. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['57014', 'the time for counting was over'],
  ['55P03', 'somebody had it locked'],
]);

/** A table that somebody has locked is not to take the time of all others. */
const lockMs = 1000;

async function countOne(
  server: ServerConnection,
  { database, table, oid, persistence }: Listed,
  { counted, uncounted }: RowCounts,
  leftMs: number,
): Promise<void> {
  const leave = (reason: string): void => void uncounted.push({ database, table, reason });
  if (persistence === 'u') return leave('it is unlogged, and empty in a copy');
  if (leftMs <= 0) return leave('the time for counting was over');
  try {
    await server.rows('savepoint here');
    await server.rows(`set local statement_timeout = ${leftMs}`);
    await server.rows(`set local lock_timeout = ${lockMs}`);
    const [[now] = []] = await server.rows('select to_regclass($1)::oid', [table]);
    if (now !== oid) return leave('it was removed meanwhile');
    const [[rows] = []] = await server.rows(`select count(*) from only ${table}`);
    counted.push({ database, table, rows: rows ?? '0' });
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    await server.rows('rollback to here');
    leave(reasons.get(error.sqlState) ?? error.message);
  }
}
