import { HoldfastError } from '../../../errors/error.ts';
import { ServerError, type ServerConnection } from '../connect.ts';
import { mendingOf } from '../mending.ts';
import { libpqEnvironment } from '../logical/libpq.ts';
import { inTarget } from '../logical/target.ts';
import { serverFacts } from '../server.ts';
import type { NamedPart, PartName } from './names.ts';
import { shownName } from './quoting.ts';

/** The database into which parts are loaded, beside what is there. */
export interface Living {
  readonly url: string;
  readonly database: string;
  readonly major: number;
  /** Without secrets. */
  readonly shown: string;
}

/** 'refused' where nothing can be loaded there, whatever it is. */
export async function livingAt(url: string, fromMajor: number, signal: AbortSignal): Promise<Living> {
  const { PGDATABASE: database, PGHOST: host = 'localhost', PGPORT: port = '5432' } = libpqEnvironment(url);
  if (database === undefined)
    throw new HoldfastError('usage', '--into names no database: postgres://user@host:5432/shop');
  return await asking({ url, database }, signal, async (server) => {
    const { major } = await serverFacts(server);
    const shown = `${host}:${port}/${database}`;
    const [[standby] = []] = await server.rows('select pg_is_in_recovery()');
    if (standby === 't') throw refused(`${shown} is a standby, into which nothing can be loaded`);
    if (major < fromMajor)
      throw refused(`${shown} is of PostgreSQL ${major}, older than the ${fromMajor} of the backup`);
    return { url, database, major, shown };
  });
}

/** A server that can't be asked, or refuses, was not changed: nothing has failed yet. */
export async function asking<Result>(
  living: Pick<Living, 'url' | 'database'>,
  signal: AbortSignal,
  body: (server: ServerConnection) => Promise<Result>,
): Promise<Result> {
  try {
    return await inTarget(living, signal, body);
  } catch (cause) {
    if (!(cause instanceof HoldfastError) || cause.code !== 'source-failed') throw cause;
    const next = [mendingOf(cause), 'Nothing was changed.'].filter((part) => part !== undefined).join(' ');
    throw new HoldfastError('refused', `--into: ${cause.message}`, { cause, next });
  }
}

const inSchema = `select relname from pg_class where relnamespace = (select oid from pg_namespace where nspname = $1)
  union select typname from pg_type where typnamespace = (select oid from pg_namespace where nspname = $1)
  union select stxname from pg_statistic_ext where stxnamespace = (select oid from pg_namespace where nspname = $1)`;

/** Names that a relation of a schema can't have. */
export async function takenIn(server: ServerConnection, schema: string): Promise<ReadonlySet<string>> {
  return new Set((await server.rows(inSchema, [schema])).map(([name]) => name ?? ''));
}

/** What is there by the name that a part is to have; where its schema isn't known yet, nothing is said. */
export async function assertFree(server: ServerConnection, { name, as = name }: NamedPart): Promise<void> {
  const { schema = name.schema, table } = as;
  if (schema === undefined) return;
  if (table === undefined) return await assertNoSchema(server, schema);
  const [[may, exists] = []] = await server.rows(
    `select has_schema_privilege(oid, 'create'), 'yes' from pg_namespace where nspname = $1`,
    [schema],
  );
  if (exists === undefined)
    throw refused(
      `the database of --into has no schema ${shownName(schema)}`,
      `Make it: create schema ${shownName(schema)}.`,
    );
  if (may !== 't') throw refused(`the role of --into may make nothing in the schema ${shownName(schema)}`);
  if ((await takenIn(server, schema)).has(table)) throw taken(`${shownName(schema, table)}`, asOf({ schema, table }));
}

async function assertNoSchema(server: ServerConnection, schema: string): Promise<void> {
  const [[may] = []] = await server.rows("select has_database_privilege(current_database(), 'create')");
  if (may !== 't') throw refused('the role of --into may make no schema in its database');
  const found = await server.rows('select from pg_namespace where nspname = $1', [schema]);
  // Every database begins with this one, empty.
  if (found.length === 0 || (schema === 'public' && (await takenIn(server, schema)).size === 0)) return;
  throw taken(`the schema ${shownName(schema)}`, `${schema}_restored`);
}

/**
 * Where the schema `public` is there already, pg_restore is told to put into it what it reads, for else it makes the schema.
 * So told it makes none at all: 'refused' with other schemas.
 */
export async function intoPublic(
  server: ServerConnection,
  parts: readonly (PartName & Pick<NamedPart, 'as'>)[],
): Promise<{ readonly restoring: readonly string[]; readonly notes: readonly string[] }> {
  const isPublic = parts.some(({ schema, table, as }) => table === undefined && (as?.schema ?? schema) === 'public');
  if (!isPublic || (await server.rows("select from pg_namespace where nspname = 'public'")).length === 0)
    return { restoring: [], notes: [] };
  if (parts.length > 1)
    throw refused('the schema public comes with no other one where it is there already', 'Take them one by one.');
  return {
    restoring: ['--schema=public'],
    notes: ['the schema public is there already: its owner, privileges and comment stay'],
  };
}

function asOf({ table = '' }: PartName): string {
  return `${table}_restored`;
}

function taken(what: string, as: string): HoldfastError {
  return refused(`${what} is there already`, `Give it another name: --as ${shellWord(shownName(as))}.`);
}

function shellWord(word: string): string {
  return /^[\w.$-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

export function refused(message: string, next?: string): HoldfastError {
  return new HoldfastError('refused', message, {
    next: next === undefined ? 'Nothing was changed.' : `${next} Nothing was changed.`,
  });
}

/** Of errors of the server those that say that there is no such thing, or that it is another one. */
export function saysMissing(error: unknown): boolean {
  return error instanceof ServerError && /^(?:42|3F|22)/.test(error.sqlState);
}
