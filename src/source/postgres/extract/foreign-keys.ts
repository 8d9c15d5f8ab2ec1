import { hasCode } from '../../../errors/error.ts';
import type { ServerConnection } from '../connect.ts';
import { quoted } from '../logical/quoting.ts';
import { listed, type Table } from './free.ts';
import { qualified, shownName } from './quoting.ts';

/** One of a table's foreign keys, to a table that does not come. */
export interface ForeignKey {
  readonly table: readonly [schema: string, name: string];
  readonly name: string;
  readonly refersTo: readonly [schema: string, name: string];
  readonly definition: string;
}

/** Takes them off in the copy: whether what they refer to has what they need, the living database alone can say. */
export async function takeOff(server: ServerConnection, tables: readonly Table[]): Promise<readonly ForeignKey[]> {
  const own = listed(tables.map(({ oid }) => oid));
  const rows = await server.rows(`
    select n.nspname, c.relname, conname, fn.nspname, f.relname, pg_get_constraintdef(k.oid),
      format('alter table %s drop constraint %I', conrelid::regclass, conname)
    from pg_constraint k join pg_class c on c.oid = conrelid join pg_namespace n on n.oid = c.relnamespace
      join pg_class f on f.oid = confrelid join pg_namespace fn on fn.oid = f.relnamespace
    where contype = 'f' and conrelid in (${own}) and confrelid not in (${own}) and conparentid = 0 order by 1, 2, 3`);
  for (const row of rows) await server.rows(row[6] ?? '');
  return rows.map(([schema, table, name, toSchema, to, definition]) => ({
    table: [schema ?? '', table ?? ''],
    name: name ?? '',
    refersTo: [toSchema ?? '', to ?? ''],
    definition: definition ?? '',
  }));
}

const tableThere = `select from pg_class c join pg_namespace n on n.oid = relnamespace
  where nspname = $1 and relname = $2 and relkind in ('r', 'p')`;

/** Those to what the living database lacks don't come. */
export async function possible(
  server: ServerConnection,
  keys: readonly ForeignKey[],
): Promise<{ readonly kept: readonly ForeignKey[]; readonly leftOut: readonly string[] }> {
  const kept: ForeignKey[] = [];
  const leftOut: string[] = [];
  for (const key of keys) {
    const found = await server.rows(tableThere, key.refersTo);
    if (found.length > 0) kept.push(key);
    else leftOut.push(`${told(key)}: there is no ${shownName(...key.refersTo)} there`);
  }
  return { kept, leftOut };
}

/** Puts them on in the living database, each for itself: where its rows don't suffice for one, that is left out. */
export async function putOn(server: ServerConnection, keys: readonly ForeignKey[]): Promise<readonly string[]> {
  const leftOut: string[] = [];
  for (const key of keys) {
    const statement = `alter table ${qualified(...key.table)} add constraint ${quoted(key.name)} ${key.definition}`;
    try {
      await server.rows(statement);
    } catch (error) {
      if (!hasCode(error, 'source-failed')) throw error;
      leftOut.push(`${told(key)}: ${error.message}; to put it on: ${statement}`);
    }
  }
  return leftOut;
}

function told({ name, table, refersTo }: ForeignKey): string {
  return `the foreign key ${shownName(name)} of ${shownName(...table)} to ${shownName(...refersTo)}`;
}
