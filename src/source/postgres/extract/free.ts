import type { ServerConnection } from '../connect.ts';
import type { FoundPart } from './copy-catalog.ts';
import { refused } from './living.ts';
import { shownName } from './quoting.ts';

/** A table of the parts, or a partition of one. */
export interface Table {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  /** 'r': it has rows of its own; 'p': its partitions have them. */
  readonly kind: 'r' | 'p';
  readonly isUnlogged: boolean;
  /** The table that people know; its own where it is no partition of the parts. */
  readonly root: string;
}

const columns = "c.oid, nspname, relname, relkind, relpersistence = 'u'";

function tree(start: string): string {
  return `with recursive tree(oid, root) as (
      ${start}
      union all select i.inhrelid, tree.root from pg_inherits i join tree on i.inhparent = tree.oid
        join pg_class child on child.oid = i.inhrelid and child.relispartition)
    select ${columns}, root from tree join pg_class c using (oid) join pg_namespace n on n.oid = c.relnamespace
    where relkind in ('r', 'p') order by nspname, relname`;
}

/** With all their partitions. */
export async function tablesOf(server: ServerConnection, part: FoundPart): Promise<readonly Table[]> {
  // A partition whose table is elsewhere stands for itself. What an extension made comes by the extension alone.
  const start =
    part.table === undefined
      ? `select c.oid, c.oid from pg_class c where relkind in ('r', 'p') and relnamespace = $1
          and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e')
          and not (relispartition and
          exists (select from pg_inherits join pg_class up on up.oid = inhparent
            where inhrelid = c.oid and up.relnamespace = $1))`
      : 'select $1::oid, $1::oid';
  const rows = await server.rows(tree(start), [part.oid]);
  return rows.map(([oid, schema, name, kind, unlogged, root]) => ({
    oid: oid ?? '',
    schema: schema ?? '',
    name: name ?? '',
    kind: kind === 'p' ? 'p' : 'r',
    isUnlogged: unlogged === 't',
    root: root ?? '',
  }));
}

/** Numbers of the catalogue, for a list in SQL. */
export function listed(oids: readonly string[]): string {
  return oids.length === 0 ? '0' : oids.map((oid) => `${BigInt(oid)}`).join(', ');
}

/**
 * Of a schema pg_dump takes what stands in it alone: a table whose partitions stand elsewhere would come without their
 * rows. 'refused' then.
 */
export async function assertWhole(server: ServerConnection, schemas: readonly string[]): Promise<void> {
  const own = listed(schemas);
  const rows = await server.rows(`select pn.nspname, p.relname, cn.nspname, c.relname
    from pg_inherits join pg_class c on c.oid = inhrelid and c.relispartition join pg_namespace cn on cn.oid = c.relnamespace
      join pg_class p on p.oid = inhparent join pg_namespace pn on pn.oid = p.relnamespace
    where p.relkind = 'p' and p.relnamespace in (${own}) and c.relnamespace not in (${own}) order by 1, 2, 3, 4`);
  if (rows.length === 0) return;
  const told = rows.map(([schema, table, elsewhere, name]) => {
    return `${shownName(elsewhere ?? '', name ?? '')} of ${shownName(schema ?? '', table ?? '')}`;
  });
  const lacking = [...new Set(rows.map(([, , elsewhere]) => `--schema ${shownName(elsewhere ?? '')}`))].join(' ');
  throw refused(
    `partitions stand in schemas that are not taken: ${told.slice(0, 20).join(', ')}`,
    `Take those too, without --as: ${lacking}; or take the table by --table.`,
  );
}

/** The parts in the copy, by numbers of its catalogue. */
export interface Own {
  readonly tables: readonly Table[];
  /** Taken as a whole. */
  readonly schemas: readonly string[];
}

export interface Cut {
  readonly notes: readonly string[];
  readonly leftOut: readonly string[];
}

/**
 * Cuts tables loose in the copy from what stays there: what refers to them, and what they are a partition of. Resolves
 * with what is to be said of it.
 */
export async function cutLoose(server: ServerConnection, { tables, schemas }: Own): Promise<Cut> {
  const own = listed(tables.map(({ oid }) => oid));
  const triggers = await clonedTriggers(server, own);
  const notes = [...(await dropReferring(server, own)), ...(await detach(server, own))];
  return { notes, leftOut: [...triggers, ...(await children(server, own, listed(schemas)))] };
}

/** Those that a partition has of its table go as it is detached. */
async function clonedTriggers(server: ServerConnection, own: string): Promise<readonly string[]> {
  const rows = await server.rows(`select t.tgname, n.nspname, c.relname, un.nspname, u.relname
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
      join pg_trigger up on up.oid = t.tgparentid join pg_class u on u.oid = up.tgrelid
      join pg_namespace un on un.oid = u.relnamespace
    where t.tgrelid in (${own}) and up.tgrelid not in (${own})
      and not exists (select from pg_constraint k where k.oid = t.tgconstraint and contype <> 't') order by 2, 3, 1`);
  return rows.map(([name, schema, table, upSchema, up]) => {
    const [it, of] = [shownName(schema ?? '', table ?? ''), shownName(upSchema ?? '', up ?? '')];
    return `trigger ${shownName(name ?? '')} on ${it}: it is that of ${of}, which does not come`;
  });
}

async function dropReferring(server: ServerConnection, own: string): Promise<readonly string[]> {
  const rows = await server.rows(`with recursive up(oid) as (
      select oid from pg_class where oid in (${own})
      union select inhparent from pg_inherits join up on inhrelid = up.oid join pg_class c on c.oid = up.oid and c.relispartition)
    select conname, nspname, relname, format('alter table %s drop constraint %I', conrelid::regclass, conname)
    from pg_constraint join pg_class c on c.oid = conrelid join pg_namespace n on n.oid = c.relnamespace
    where contype = 'f' and confrelid in (select oid from up) and conrelid not in (${own}) and conparentid = 0`);
  for (const [, , , drop] of rows) await server.rows(drop ?? '');
  return rows.map(
    ([name, schema, table]) =>
      `${shownName(schema ?? '', table ?? '')} refers to it by the foreign key ${shownName(name ?? '')}, which is that table’s and does not come`,
  );
}

async function detach(server: ServerConnection, own: string): Promise<readonly string[]> {
  const rows = await server.rows(`select c.relispartition, pn.nspname, p.relname, cn.nspname, c.relname,
      case when c.relispartition then format('alter table %s detach partition %s', inhparent::regclass, inhrelid::regclass)
        else format('alter table %s no inherit %s', inhrelid::regclass, inhparent::regclass) end
    from pg_inherits join pg_class c on c.oid = inhrelid join pg_namespace cn on cn.oid = c.relnamespace
      join pg_class p on p.oid = inhparent join pg_namespace pn on pn.oid = p.relnamespace
    where inhrelid in (${own}) and inhparent not in (${own}) and c.relkind in ('r', 'p')`);
  for (const row of rows) await server.rows(row[5] ?? '');
  return rows.map(([isPartition, schema, parent, ownSchema, name]) => {
    const [it, of] = [shownName(ownSchema ?? '', name ?? ''), shownName(schema ?? '', parent ?? '')];
    return isPartition === 't'
      ? `${it} is a partition of ${of}: it comes alone, and is attached to nothing`
      : `${it} inherits from ${of}: it comes alone, with its own rows and all columns`;
  });
}

/** What else has rows of a table: another server, or tables that inherit from it. */
async function children(server: ServerConnection, own: string, schemas: string): Promise<readonly string[]> {
  const rows = await server.rows(`select nspname, relname,
      case when relispartition then format('alter table %s detach partition %s', inhparent::regclass, c.oid::regclass) end
    from pg_inherits join pg_class c on c.oid = inhrelid join pg_namespace n on n.oid = c.relnamespace
    where inhparent in (${own}) and inhrelid not in (${own}) and relkind in ('r', 'f') and relnamespace not in (${schemas})
    order by 1, 2`);
  for (const [, , drop] of rows) if (typeof drop === 'string') await server.rows(drop);
  return rows.map(([schema, name, drop]) => {
    const it = shownName(schema ?? '', name ?? '');
    return typeof drop === 'string'
      ? `${it} is a partition whose rows are on another server: neither it nor they come`
      : `${it} inherits from it: neither it nor its rows come`;
  });
}
