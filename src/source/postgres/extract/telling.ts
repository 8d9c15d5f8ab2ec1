import type { ServerConnection } from '../connect.ts';
import { listed, type Table } from './free.ts';
import { shownName } from './quoting.ts';

/** What is to be known of tables before they are loaded. */
export async function tellingOf(copy: ServerConnection, tables: readonly Table[]): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const root of tables.filter(({ oid, root: of }) => oid === of)) {
    const name = shownName(root.schema, root.name);
    const members = tables.filter((one) => one.root === root.oid);
    if (members.length > 1) notes.push(`${name} comes with its ${members.length - 1} partitions`);
    if (members.some(({ isUnlogged }) => isUnlogged))
      notes.push(`${name} is unlogged: no base backup has its rows, nor a standby’s dump`);
    notes.push(...(await behaviour(copy, root, name)));
  }
  return notes;
}

const facts = (own: string): string => `select
  (select string_agg(quote_ident(tgname), ', ' order by tgname) from pg_trigger
    where tgrelid = ${own} and not tgisinternal),
  (select relrowsecurity from pg_class where oid = ${own}),
  (select string_agg(quote_ident(polname), ', ' order by polname) from pg_policy where polrelid = ${own}),
  (select string_agg(distinct d.refobjid::regclass::text, ', ') from pg_attrdef a
    join pg_depend d on d.classid = 'pg_attrdef'::regclass and d.objid = a.oid and d.refclassid = 'pg_class'::regclass
    join pg_class s on s.oid = d.refobjid and s.relkind = 'S'
    where a.adrelid = ${own} and not exists (select from pg_depend o where o.classid = 'pg_class'::regclass
      and o.objid = s.oid and o.deptype in ('a', 'i') and o.refobjid = ${own}))`;

async function behaviour(copy: ServerConnection, { oid }: Table, name: string): Promise<readonly string[]> {
  const [[triggers, secured, policies, sequences] = []] = await copy.rows(facts(listed([oid])));
  return [
    ...(triggers ? [`triggers of ${name}: ${triggers}; they act on what is written to it from then on`] : []),
    ...(secured === 't' ? [`row security of ${name} is on${policies ? `: ${policies}` : ', without a policy'}`] : []),
    ...(sequences
      ? [`${name} takes numbers from ${sequences}, which is not its own: the one that is there is used`]
      : []),
  ];
}

/** On disk, without indexes. */
export async function sizeOf(copy: ServerConnection, tables: readonly Table[]): Promise<number> {
  const own = listed(tables.map(({ oid }) => oid));
  const [[bytes] = []] = await copy.rows(
    `select coalesce(sum(pg_table_size(oid)), 0) from pg_class where oid in (${own})`,
  );
  return Number(bytes);
}
