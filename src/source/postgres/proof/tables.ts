import type { RehearsedStep } from '../../rehearsal.ts';
import type { ServerConnection } from '../connect.ts';
import type { SandboxedServer } from '../sandboxed-server.ts';
import { inEach, type Databases } from './databases.ts';
import { firstOf, stepOf } from './step.ts';

const about = { name: 'tables', expected: 'every table can be read, and has as many rows as its indexes say' } as const;

interface Seen {
  readonly tables: number;
  /** Of how many an index was counted, too. */
  readonly indexed: number;
  readonly differing: readonly string[];
  readonly emptied: readonly string[];
}

/**
 * Counts the rows of every permanent table, materialised view, TOAST table and sequence by a sequential scan, for which
 * the server reads each of their pages, and holds it against its checksum where it has any. Then, where an index holds
 * all rows, by that: an entry that leads nowhere tells what is gone of the table. No row is decoded.
 */
export async function countTables(server: SandboxedServer, databases: Databases): Promise<RehearsedStep> {
  return await stepOf(server, about, async () => {
    const seen = await inEach(server, databases, countAll);
    const differing = seen.flatMap((one) => one.differing);
    if (differing.length > 0) return { state: 'failed', found: firstOf(differing) };
    const emptied = seen.flatMap((one) => one.emptied);
    if (emptied.length > 0) return { state: 'not run', found: firstOf(emptied) };
    const sum = (of: 'tables' | 'indexed'): number => seen.reduce((all, one) => all + one[of], 0);
    const invalid = databases.invalid.map((name) => `; ${name} is left out: its removal was interrupted`).join('');
    const found = `${sum('tables')} tables of ${seen.length} databases, and ${sum('indexed')} relations by an index${invalid}`;
    return { state: 'passed', found };
  });
}

/** With what stands beside tables (values too large for a row) and sequences. A view that was never filled has nothing. */
const allRelations = `select format('%I.%I', nspname, relname), relkind,
  relpages > 0 and reltuples > 0 and relkind <> 'S' and pg_relation_size(pg_class.oid) = 0,
  current_database(), exists (select from pg_index where indrelid = pg_class.oid and indisvalid and indpred is null)
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where relkind in ('r', 'm', 't', 'S') and relpersistence = 'p' and relispopulated order by 1`;

const scans = ['seqscan', 'bitmapscan', 'indexscan', 'indexonlyscan'] as const;

async function allow(connection: ServerConnection, allowed: readonly (typeof scans)[number][]): Promise<void> {
  for (const scan of scans) await connection.rows(`set enable_${scan} = ${allowed.includes(scan) ? 'on' : 'off'}`);
}

async function countAll(connection: ServerConnection): Promise<Seen> {
  const relations = await connection.rows(allRelations);
  await allow(connection, ['seqscan']);
  const counts = new Map<string, string>();
  for (const [name] of relations) counts.set(name ?? '', await countOf(connection, name ?? ''));
  const differing = relations
    .filter(([name, kind]) => kind === 'S' && counts.get(name ?? '') !== '1')
    .map(([name]) => `the sequence ${name} has ${counts.get(name ?? '')} rows, where each has one`);
  await allow(connection, ['indexscan', 'indexonlyscan']);
  let indexed = 0;
  for (const [name = null, , , , mayBeIndexed] of relations) {
    const [relation, count] = [name ?? '', counts.get(name ?? '')];
    const byIndex = mayBeIndexed === 't' ? await countByIndex(connection, relation) : undefined;
    if (byIndex === undefined) continue;
    indexed += 1;
    if (byIndex !== count) differing.push(`${relation} has ${count} rows, and ${byIndex} in an index of all its rows`);
  }
  const tables = relations.filter(([, kind]) => kind === 'r' || kind === 'm').length;
  const emptied = relations
    .filter(([, , isEmptied]) => isEmptied === 't')
    .map(([name, , , database]) => `${name} of ${database} has no pages, and had rows when it was last analysed`);
  return { tables, indexed, differing, emptied };
}

async function countOf(connection: ServerConnection, relation: string): Promise<string> {
  const [[count] = []] = await connection.rows(`select count(*) from only ${relation}`);
  return count ?? '';
}

/** undefined: there is no index of all its rows. */
async function countByIndex(connection: ServerConnection, relation: string): Promise<string | undefined> {
  const plan = await connection.rows(`explain (costs off) select count(*) from only ${relation}`);
  return plan.some(([line]) => line?.includes('Index Only Scan') === true)
    ? await countOf(connection, relation)
    : undefined;
}
