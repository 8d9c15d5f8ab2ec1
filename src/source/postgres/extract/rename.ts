import type { ServerConnection } from '../connect.ts';
import { quoted } from '../logical/quoting.ts';
import type { FoundPart } from './copy-catalog.ts';
import { listed, type Table } from './free.ts';
import { takenIn } from './living.ts';
import { nameBeside } from './names.ts';
import { qualified } from './quoting.ts';

/**
 * Gives a part in the copy the name that it is to have, and whatever stands beside a table in its schema (partitions,
 * indexes, sequences, statistics) one that nothing has, there or in the living database: pg_dump can't rename.
 */
export async function rename(
  server: ServerConnection,
  part: FoundPart,
  tables: readonly Table[],
  living: ReadonlySet<string>,
): Promise<void> {
  const { as, schema, table } = part;
  if (as === undefined) return;
  if (as.table === undefined || table === undefined) {
    const to = as.schema ?? schema;
    if (to === schema) return;
    await makeWayOfSchema(server, to);
    await server.rows(`alter schema ${quoted(schema)} rename to ${quoted(to)}`);
    return;
  }
  const to = { schema: as.schema ?? schema, table: as.table };
  const beside = await besideOf(server, tables);
  const schemas = new Set([to.schema, ...beside.map((one) => one.schema)]);
  const taken = new Set(living);
  for (const one of schemas) for (const name of await takenIn(server, one)) taken.add(name);
  if (table !== to.table) {
    await makeWay(server, schema, to.table);
    for (const one of beside) {
      const name = one.oid === part.oid ? to.table : nameBeside(one.name, { from: table, to: to.table }, taken);
      taken.add(name);
      await giveName(server, one, name);
    }
  }
  if (to.schema !== schema) await move(server, await besideOf(server, tables), to.schema);
}

interface Beside {
  readonly oid: string;
  readonly kind: 'table' | 'index' | 'sequence' | 'statistics';
  readonly schema: string;
  readonly name: string;
}

/** Whatever has a name of its own in the schema of a table, tables and their partitions too. */
export async function besideOf(server: ServerConnection, tables: readonly Table[]): Promise<readonly Beside[]> {
  const own = listed(tables.map(({ oid }) => oid));
  const rows = await server.rows(`
    select c.oid, case when relkind in ('r', 'p') then 'table' when relkind = 'S' then 'sequence' else 'index' end, nspname, relname
      from pg_class c join pg_namespace n on n.oid = relnamespace
      where c.oid in (${own}) or c.oid in (select indexrelid from pg_index where indrelid in (${own}))
        or c.relkind = 'S' and c.oid in (select objid from pg_depend where classid = 'pg_class'::regclass
          and refclassid = 'pg_class'::regclass and refobjid in (${own}) and deptype in ('a', 'i'))
    union all select s.oid, 'statistics', nspname, stxname from pg_statistic_ext s
      join pg_namespace n on n.oid = stxnamespace where stxrelid in (${own})
    order by 2 desc, 3, 4`);
  return rows.map(([oid, kind, schema, name]) => ({
    oid: oid ?? '',
    kind: kind === 'index' || kind === 'sequence' || kind === 'statistics' ? kind : 'table',
    schema: schema ?? '',
    name: name ?? '',
  }));
}

async function giveName(
  server: ServerConnection,
  { kind, schema, name }: Pick<Beside, 'kind' | 'schema' | 'name'>,
  to: string,
): Promise<void> {
  if (name !== to) await server.rows(`alter ${kind} ${qualified(schema, name)} rename to ${quoted(to)}`);
}

/** Whatever else has the name in the copy is wanted by nobody. */
async function makeWay(server: ServerConnection, schema: string, name: string): Promise<void> {
  const found = await server.rows(
    `select format('alter table %s rename to %I', c.oid::regclass, 'holdfast ' || c.oid)
      from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = $1 and relname = $2`,
    [schema, name],
  );
  for (const [away] of found) await server.rows(away ?? '');
}

/** Nor is the schema that has the name; but what is wanted may need what stands in it, and must not lose it. */
async function makeWayOfSchema(server: ServerConnection, name: string): Promise<void> {
  const away = "select format('alter schema %I rename to %I', nspname, left(nspname, 10) || ' of the copy ' || oid)";
  for (const [statement] of await server.rows(`${away} from pg_namespace where nspname = $1`, [name]))
    await server.rows(statement ?? '');
}

/** Indexes go with their tables, and sequences with the columns that own them. */
async function move(server: ServerConnection, beside: readonly Beside[], schema: string): Promise<void> {
  await server.rows(`create schema if not exists ${quoted(schema)}`);
  for (const { name } of beside) await makeWay(server, schema, name);
  for (const { kind, name, schema: from } of beside)
    if (from !== schema && (kind === 'table' || kind === 'statistics'))
      await server.rows(`alter ${kind} ${qualified(from, name)} set schema ${quoted(schema)}`);
}
