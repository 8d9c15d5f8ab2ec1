import * as z from 'zod';
import type { ServerConnection } from '../connect.ts';

/** What is known of a database that is dumped, so that a load can be judged before it begins. */
export const databaseFacts = z.object({
  name: z.string(),
  owner: z.string(),
  encoding: z.string(),
  collate: z.string().nullable(),
  ctype: z.string().nullable(),
  /** libc, icu or builtin. */
  provider: z.enum(['c', 'i', 'b']),
  /** Of icu and builtin. */
  locale: z.string().nullable(),
  collationVersion: z.string().nullable(),
  /** Of the database itself, as `search_path=shop`. */
  settings: z.array(z.string()),
  /** On the server, with indexes and dead rows. */
  liveBytes: z.number(),
});

export type DatabaseFacts = z.output<typeof databaseFacts>;

/** Each database with why it can't be dumped, where it can't. */
export interface Seen {
  readonly name: string;
  readonly lacking: string | undefined;
}

const everyDatabase = `select datname,
    case when datistemplate then 'it is a template'
         when not datallowconn then 'it accepts no connections'
         when datconnlimit = -2 then 'it is half removed'
         when not has_database_privilege(oid, 'connect') then 'the role may not connect to it' end
  from pg_database order by datname`;

export async function seenDatabases(server: ServerConnection): Promise<readonly Seen[]> {
  const rows = await server.rows(everyDatabase);
  return rows.map(([name, lacking]) => ({ name: name ?? '', lacking: lacking ?? undefined }));
}

/** How majors call where the locale of a database stands. */
function localeOf(major: number): { readonly provider: string; readonly locale: string; readonly version: string } {
  if (major < 15) return { provider: "'c'", locale: 'null', version: 'null' };
  return {
    provider: 'datlocprovider',
    locale: major < 17 ? 'daticulocale' : 'datlocale',
    version: 'datcollversion',
  };
}

/** `server` may be connected to any database. */
export async function factsOf(server: ServerConnection, major: number, name: string): Promise<DatabaseFacts> {
  const { provider, locale, version } = localeOf(major);
  const text = `select pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, ${provider},
      ${locale}, ${version}, pg_database_size(oid),
      (select to_json(setconfig) from pg_db_role_setting where setdatabase = d.oid and setrole = 0)
    from pg_database d where datname = $1`;
  const [[owner, encoding, collate, ctype, by, where, collation, bytes, settings] = []] = await server.rows(text, [
    name,
  ]);
  const set: unknown = JSON.parse(settings ?? '[]');
  return databaseFacts.parse({
    name,
    owner,
    encoding,
    collate: collate ?? null,
    ctype: ctype ?? null,
    provider: by,
    locale: where ?? null,
    collationVersion: collation ?? null,
    settings: set,
    liveBytes: Number(bytes),
  });
}

/** What a dump refers to that it doesn't hold. */
export const needs = z.object({
  extensions: z.array(z.object({ name: z.string(), version: z.string() })),
  /** Owners, and whom something was granted to. */
  roles: z.array(z.string()),
});

export type Needs = z.output<typeof needs>;

const owners = ['pg_class.relowner', 'pg_proc.proowner', 'pg_namespace.nspowner', 'pg_type.typowner'].map((one) => {
  const [table, column] = one.split('.');
  return `exists (select from ${table} where ${column} = 10 and oid >= 16384)`;
});

const everyRole = `select rolname from pg_roles where oid in (
    select refobjid from pg_shdepend where refclassid = 'pg_authid'::regclass
      and dbid = (select oid from pg_database where datname = current_database()))
  or oid = 10 and (${owners.join(' or ')}) order by 1`;

/** `server` is connected to the database. */
export async function needsOf(server: ServerConnection): Promise<Needs> {
  const extensions = await server.rows('select extname, extversion from pg_extension order by 1');
  const roles = await server.rows(everyRole);
  return {
    extensions: extensions.map(([name, version]) => ({ name: name ?? '', version: version ?? '' })),
    roles: roles.map(([name]) => name ?? ''),
  };
}
