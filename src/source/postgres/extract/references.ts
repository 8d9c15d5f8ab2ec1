import type { ServerConnection } from '../connect.ts';
import { listed } from './free.ts';
import { saysMissing } from './living.ts';

/** Whether things keep their owners, and what was granted on them. */
export interface Kept {
  readonly owner: boolean;
  readonly privileges: boolean;
}

const belonging = 'pg_temp.holdfast_belonging';

/** Notes in the copy all that belongs to the parts, so that it can be asked for; for this connection. */
export async function noteBelonging(
  server: ServerConnection,
  { tables, schemas }: { readonly tables: readonly string[]; readonly schemas: readonly string[] },
): Promise<void> {
  // What an extension made is no more than the extension for pg_dump.
  await server.rows(`create temporary table holdfast_belonging as
    with recursive start(classid, objid) as (
      select 'pg_class'::regclass::oid, oid from pg_class where oid in (${listed(tables)})
      union select 'pg_namespace'::regclass, oid from pg_namespace where oid in (${listed(schemas)})
      union select classid, objid from pg_depend d
        where refclassid = 'pg_namespace'::regclass and refobjid in (${listed(schemas)})
          and classid <> 'pg_extension'::regclass and not exists (select from pg_depend e
            where e.classid = d.classid and e.objid = d.objid and e.deptype = 'e')),
    belonging(classid, objid) as (
      select classid, objid from start
      union select d.classid, d.objid from pg_depend d
        join belonging b on d.refclassid = b.classid and d.refobjid = b.objid
        where d.deptype in ('a', 'i', 'P', 'S') and d.classid::regclass::text !~ '^pg_(catalog\\.pg_)?publication')
    select classid, objid from belonging`);
}

/** Something that belongs to the parts needs something that doesn't. */
export interface Reference {
  /** As the catalogues name their tables. */
  readonly from: { readonly catalog: string; readonly oid: string; readonly shown: string };
  /** For people. */
  readonly shown: string;
  /** By which another database finds it. */
  readonly address: readonly [type: string, names: string, args: string];
}

const firstOfUsers = 16_384;

const references = `select distinct d.classid::regclass::text, d.objid::text,
    own.type || ' ' || own.identity, needed.type || ' ' || needed.identity,
    at.type, at.object_names::text, at.object_args::text, extname
  from ${belonging} b
    join pg_depend d using (classid, objid)
    cross join lateral pg_identify_object(d.classid, d.objid, 0) own
    cross join lateral pg_identify_object(d.refclassid, d.refobjid, 0) needed
    cross join lateral pg_identify_object_as_address(d.refclassid, d.refobjid, 0) at
    left join pg_depend e on e.classid = d.refclassid and e.objid = d.refobjid and e.deptype = 'e'
    left join pg_extension x on x.oid = e.refobjid
  where d.refobjid >= ${firstOfUsers} and d.deptype <> 'e' and not exists
    (select from ${belonging} inside where inside.classid = d.refclassid and inside.objid = d.refobjid)
  order by 4, 3`;

export async function referencesOf(copy: ServerConnection): Promise<readonly Reference[]> {
  const rows = await copy.rows(references);
  return rows.map(([catalog, oid, own, needed, type, names, args, extension]) => ({
    from: { catalog: catalog ?? '', oid: oid ?? '', shown: own ?? '' },
    shown: `${needed}${extension === null || extension === undefined ? '' : ` of the extension ${extension}`}`,
    address: [type ?? '', names ?? '', args ?? ''],
  }));
}

/** Those of which the living database lacks what they need. */
export async function lackingIn(living: ServerConnection, all: readonly Reference[]): Promise<readonly Reference[]> {
  const known = new Map<string, boolean>();
  const lacking: Reference[] = [];
  for (const reference of all) {
    const key = JSON.stringify(reference.address);
    const isThere = known.get(key) ?? (await has(living, reference.address));
    known.set(key, isThere);
    if (!isThere) lacking.push(reference);
  }
  return lacking;
}

async function has(living: ServerConnection, address: Reference['address']): Promise<boolean> {
  try {
    await living.rows('select pg_get_object_address($1, $2::text[], $3::text[])', address);
    return true;
  } catch (error) {
    if (saysMissing(error)) return false;
    throw error;
  }
}

/** How what can be left out is dropped from the copy, by its catalogue. */
const drops: Readonly<Record<string, string>> = {
  pg_trigger: `select format('drop trigger %I on %s', tgname, tgrelid::regclass) from pg_trigger
    where oid = $1 and tgparentid = 0`,
  pg_policy: `select format('drop policy %I on %s', polname, polrelid::regclass) from pg_policy
    where oid = $1 and polpermissive`,
  pg_rewrite: `select format('drop rule %I on %s', rulename, ev_class::regclass) from pg_rewrite
    join pg_class c on c.oid = ev_class where pg_rewrite.oid = $1 and relkind in ('r', 'p')`,
  pg_class: `select format('drop index %s cascade', c.oid::regclass) from pg_class c where oid = $1 and relkind in ('i', 'I')
    and not exists (select from pg_constraint where conindid = c.oid)
    and not exists (select from pg_inherits where inhrelid = c.oid)`,
};

export interface Dropped {
  /** For people. */
  readonly leftOut: readonly string[];
  /** What can't come without. */
  readonly needed: readonly string[];
}

/**
 * Drops from the copy what the rest can do without: triggers, rules, indexes, and policies that let somebody see more. Rows
 * are whole without them.
 */
export async function dropLacking(copy: ServerConnection, lacking: readonly Reference[]): Promise<Dropped> {
  const leftOut: string[] = [];
  const needed = new Set<string>();
  const done = new Set<string>();
  for (const { from, shown } of lacking) {
    const key = `${from.catalog} ${from.oid}`;
    if (done.has(key)) continue;
    const { [from.catalog]: statement } = drops;
    const [[drop] = []] = statement === undefined ? [] : await copy.rows(statement, [from.oid]);
    if (typeof drop === 'string') {
      await copy.rows(drop);
      done.add(key);
      leftOut.push(`${from.shown}: it needs the ${shown}, which is not there`);
    } else if (!(await isGone(copy, from))) needed.add(shown);
  }
  return { leftOut, needed: [...needed] };
}

/** A trigger or an index of a partition goes with that of its table. */
async function isGone(copy: ServerConnection, { catalog, oid }: Reference['from']): Promise<boolean> {
  if (drops[catalog] === undefined) return false;
  return (await copy.rows(`select from ${catalog} where oid = $1`, [oid])).length === 0;
}

const roles = (kinds: string): string => `select distinct rolname from pg_shdepend s
    join ${belonging} using (classid, objid) join pg_roles r on r.oid = s.refobjid
  where s.refclassid = 'pg_authid'::regclass and deptype in (${kinds})
    and dbid = (select oid from pg_database where datname = current_database())`;

const firstRole = ['pg_class.relowner', 'pg_namespace.nspowner', 'pg_proc.proowner', 'pg_type.typowner'].map((one) => {
  const [catalog, column] = one.split('.');
  return `exists (select from ${catalog} join ${belonging} b on b.objid = ${catalog}.oid
    and b.classid = '${catalog}'::regclass where ${column} = 10)`;
});

/** Owners, and those to whom something was granted. */
export async function rolesOf(copy: ServerConnection, { owner, privileges }: Kept): Promise<readonly string[]> {
  const kinds = [...(owner ? ["'o'"] : []), ...(privileges ? ["'a'"] : [])];
  if (kinds.length === 0) return [];
  const first = owner ? ` union select rolname from pg_roles where oid = 10 and (${firstRole.join(' or ')})` : '';
  return (await copy.rows(`${roles(kinds.join(', '))}${first} order by 1`)).map(([name]) => name ?? '');
}

/** Policies for roles that aren't there: those that let see more are dropped from the copy, without others nothing can come. */
export async function dropPoliciesOf(copy: ServerConnection, there: ReadonlySet<string>): Promise<Dropped> {
  const rows = await copy.rows(`select rolname, format('%I of %s', polname, polrelid::regclass), polpermissive,
      format('drop policy if exists %I on %s', polname, polrelid::regclass)
    from pg_shdepend s join ${belonging} using (classid, objid) join pg_roles r on r.oid = s.refobjid
      join pg_policy p on p.oid = s.objid
    where s.classid = 'pg_policy'::regclass and s.refclassid = 'pg_authid'::regclass
      and dbid = (select oid from pg_database where datname = current_database())`);
  const lacking = rows.filter(([role]) => !there.has(role ?? ''));
  const [wider, narrower] = [lacking.filter((row) => row[2] === 't'), lacking.filter((row) => row[2] !== 't')];
  for (const row of wider) await copy.rows(row[3] ?? '');
  return {
    leftOut: wider.map(([role, policy]) => `policy ${policy}: there is no role ${role} there`),
    needed: narrower.map(([role, policy]) => `role ${role}, whom the policy ${policy} restricts`),
  };
}
