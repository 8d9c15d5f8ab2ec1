import { HoldfastError } from '../../../errors/error.ts';
import type { WantedLoad } from '../../loading.ts';
import { connectTo, ServerError, type ServerConnection } from '../connect.ts';
import { serverFacts } from '../server.ts';
import { usualWaits } from '../waits.ts';
import { creationOf } from './creation.ts';
import type { DumpedDatabase, LogicalDescription } from './description.ts';
import { libpqEnvironment } from './libpq.ts';
import { quoted } from './quoting.ts';

/** The database that is to be, and the server it will be on. */
export interface Target {
  readonly url: string;
  readonly database: string;
  /** The server's own database, from which others are made. */
  readonly maintenance: string;
  readonly major: number;
  /** 'empty': it is there, and holds nothing. */
  readonly before: 'none' | 'empty';
  /** Without secrets. */
  readonly shown: string;
}

/** Until a large table is counted. */
const waits = { ...usualWaits, answerMs: 24 * 3_600_000 };
const settings = { statement_timeout: '0', idle_session_timeout: '0' };

export async function inTarget<Result>(
  { url, database }: Pick<Target, 'url' | 'database'>,
  signal: AbortSignal,
  body: (server: ServerConnection) => Promise<Result>,
): Promise<Result> {
  await using server = await connectTo({ url, database, use: 'statements', signal, waits, settings });
  return await body(server);
}

/** 'refused' where the server is older than any that is known, or the database holds something. */
export async function targetOf(url: string, signal: AbortSignal): Promise<Target> {
  const { PGDATABASE: database, PGHOST: host = 'localhost', PGPORT: port = '5432' } = libpqEnvironment(url);
  if (database === undefined)
    throw new HoldfastError('usage', '--into names no database: postgres://user@host:5432/newdb');
  const maintenance = await maintenanceOf(url, signal);
  return await inTarget({ url, database: maintenance }, signal, async (server) => {
    const { major } = await serverFacts(server);
    const found = await server.rows('select from pg_database where datname = $1', [database]);
    const target = { url, database, maintenance, major, shown: `${host}:${port}/${database}` };
    if (found.length === 0) return { ...target, before: 'none' };
    await assertEmpty(target, signal);
    return { ...target, before: 'empty' };
  });
}

const noSuchDatabase = '3D000';

async function maintenanceOf(url: string, signal: AbortSignal): Promise<string> {
  try {
    return await inTarget({ url, database: 'postgres' }, signal, async () => 'postgres');
  } catch (error) {
    if (error instanceof ServerError && error.sqlState === noSuchDatabase) return 'template1';
    throw error;
  }
}

const anything = `select format('%I.%I', nspname, relname) from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid >= 16384 and nspname !~ '^pg_toast' and not exists
      (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e')
  union all select format('%I()', proname) from pg_proc where oid >= 16384 and not exists
    (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e')
  union all select nspname from pg_namespace where oid >= 16384 and nspname !~ '^pg_(?:toast|temp)'
  limit 1`;

async function assertEmpty(target: Pick<Target, 'url' | 'database' | 'shown'>, signal: AbortSignal): Promise<void> {
  const [[first] = []] = await inTarget(target, signal, async (server) => await server.rows(anything));
  if (first === undefined) return;
  throw new HoldfastError('refused', `the database ${target.database} is there already, and holds ${first}`, {
    next: 'Name a new one by --into; with --switch it takes the place of the old one once it is loaded. Nothing was changed.',
  });
}

export interface Judged {
  readonly described: LogicalDescription;
  readonly database: DumpedDatabase;
  readonly wanted: WantedLoad;
  readonly signal: AbortSignal;
}

/** 'refused' for what would end a load in the midst: by name, before anything is changed. */
export async function assertLoadable(target: Target, judged: Judged): Promise<void> {
  const { described, signal } = judged;
  if (target.major < described.major)
    throw new HoldfastError(
      'refused',
      `the server is PostgreSQL ${target.major}: a dump of PostgreSQL ${described.major} is not loaded into an older one`,
    );
  await inTarget({ url: target.url, database: target.maintenance }, signal, async (server) => {
    if (target.before === 'none') await assertMayCreate(server);
    await assertExtensions(server, judged.database);
    await assertRoles(server, judged);
  });
}

async function assertMayCreate(server: ServerConnection): Promise<void> {
  const [[may] = []] = await server.rows('select rolcreatedb or rolsuper from pg_roles where rolname = current_user');
  if (may === 't') return;
  throw new HoldfastError('refused', 'the role of --into may not create a database', {
    next: 'Give it CREATEDB, or make an empty database for it first. Nothing was changed.',
  });
}

async function assertExtensions(server: ServerConnection, { extensions }: DumpedDatabase): Promise<void> {
  const available = new Set((await server.rows('select name from pg_available_extensions')).map(([name]) => name));
  const missing = extensions.filter(({ name }) => !available.has(name));
  if (missing.length === 0) return;
  const names = missing.map(({ name, version }) => `${name} ${version}`).join(', ');
  throw new HoldfastError('refused', `the server lacks extensions that the dump needs: ${names}`, {
    next: 'Install their packages on the host of the server (postgresql-contrib holds the usual ones). Nothing was changed.',
  });
}

async function assertRoles(server: ServerConnection, { database, wanted }: Judged): Promise<void> {
  if (wanted.owner === 'whoever loads' && wanted.privileges === 'none') return;
  const there = new Set((await server.rows('select rolname from pg_roles')).map(([name]) => name));
  const missing = [...new Set([...database.roles, database.owner])].filter((name) => !there.has(name));
  if (missing.length === 0) return;
  throw new HoldfastError('refused', `the server lacks roles that the dump names: ${missing.join(', ')}`, {
    next: 'Make them, as by globals.sql of the point, or say --no-owner and --no-privileges. Nothing was changed.',
  });
}

/** With the encoding and the locale that it had; an empty one that is there is taken as it is. */
export async function createDatabase(
  target: Target,
  { dumped, wanted, signal }: Omit<Judged, 'described' | 'database'> & { readonly dumped: DumpedDatabase },
): Promise<void> {
  if (target.before === 'empty') return;
  const owner = wanted.owner === 'as it was' ? `owner ${quoted(dumped.owner)} ` : '';
  await inTarget({ url: target.url, database: target.maintenance }, signal, async (server) => {
    await server.rows(`create database ${quoted(target.database)} ${owner}${creationOf(dumped, target.major)}`);
  });
}

/** Not ended by what ended the load. */
export async function dropDatabase({ url, maintenance, database }: Target): Promise<void> {
  const { signal } = new AbortController();
  await inTarget({ url, database: maintenance }, signal, async (server) => {
    await server.rows(`drop database if exists ${quoted(database)} with (force)`);
  });
}
