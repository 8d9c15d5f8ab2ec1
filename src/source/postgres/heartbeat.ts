import * as z from 'zod';
import { HoldfastError } from '../../errors/error.ts';
import { connectTo, type ServerConnection } from './connect.ts';
import { identifierParts } from './identifier.ts';

/** A row that says when it was written, by the server's clock, and where its log stood then. */
export const heartbeat = z.object({ table: z.string(), at: z.iso.datetime(), lsn: z.string() });

export type Heartbeat = z.output<typeof heartbeat>;

export interface HeartbeatOptions {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly component: string;
  /** As SQL takes it, in the database of the address; made where it isn't there. */
  readonly table: string;
}

/** In ISO 8601 with Z, whatever the role's settings are. */
const asText = `to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), lsn`;

/**
 * Writes the component's row anew: what of it can be recovered later tells from the data itself how much was lost.
 * 'source-failed' where the role may not, or the server takes no writes.
 */
export async function beat({ url, signal, component, table }: HeartbeatOptions): Promise<Heartbeat> {
  await using server = await connectTo({ url, signal, use: 'statements' });
  return await beatOn(server, { component, table });
}

export async function beatOn(
  server: ServerConnection,
  { component, table }: Pick<HeartbeatOptions, 'component' | 'table'>,
): Promise<Heartbeat> {
  const name = tableName(table);
  const [[there] = []] = await server.rows('select to_regclass($1)', [name]);
  if (there === null) await server.rows(creationOf(table));
  const [[at, lsn] = []] = await server.rows(
    `insert into ${name} values ($1, clock_timestamp(), pg_current_wal_lsn())
    on conflict (component) do update set at = excluded.at, lsn = excluded.lsn returning ${asText}`,
    [component],
  );
  return parsed(name, at, lsn);
}

/** Quoted, as SQL takes it. */
export function tableName(table: string): string {
  return identifierParts(table).join('.');
}

export function creationOf(table: string): string {
  return `create table ${tableName(table)} (component text primary key, at timestamptz not null, lsn pg_lsn not null)`;
}

/** The statement that reads it, given the component; of a name that `beat` gave. */
export function readingOf(table: string): string {
  return `select ${asText} from ${table} where component = $1`;
}

export function parsed(table: string, at: string | null | undefined, lsn: string | null | undefined): Heartbeat {
  const found = heartbeat.safeParse({ table, at, lsn });
  if (found.success) return found.data;
  throw new HoldfastError('source-failed', `the heartbeat in ${table} can't be understood`);
}
