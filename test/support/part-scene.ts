import { link } from 'node:fs/promises';
import { systemClock } from '../../src/clock/clock.ts';
import { silent } from '../../src/events/events.ts';
import type { LoadedParts, WantedPart } from '../../src/source/extraction.ts';
import { connectTo, type ServerConnection } from '../../src/source/postgres/connect.ts';
import { findPart, type FoundPart } from '../../src/source/postgres/extract/copy-catalog.ts';
import { livingAt, type Living } from '../../src/source/postgres/extract/living.ts';
import { loadParts } from '../../src/source/postgres/extract/load-parts.ts';
import { namedParts } from '../../src/source/postgres/extract/names.ts';
import { shape, type Shaped } from '../../src/source/postgres/extract/shape.ts';
import { clientHere } from '../../src/source/postgres/logical/client.ts';
import type { PostgresServer } from '../servers/postgres-versions.ts';
import { tempDir } from './temp-dir.ts';

const { signal } = new AbortController();

/** Two databases of one server: the one stands for the copy in a sandbox, the other for the living one. */
export interface PartScene {
  readonly urls: { readonly copy: string; readonly living: string };
  copy(sql: string): Promise<readonly string[]>;
  living(sql: string): Promise<readonly string[]>;
  /** What becomes of parts of the copy, as far as nothing is loaded. */
  shape(parts: readonly Asked[], kept?: { readonly owner: boolean; readonly privileges: boolean }): Promise<Shaped>;
  load(shaped: Shaped): Promise<LoadedParts>;
}

type Asked = Pick<WantedPart, 'name'> & Partial<WantedPart>;

export interface PartServer {
  readonly server: PostgresServer;
  readonly major: number;
  /** The folder of pg_dump and pg_restore. */
  readonly clients: string;
}

const pairs = new WeakMap<PostgresServer, { made: number; taken: number }>();

/** Those that scenes of before had are emptied and taken again: to make one costs as much as all else of a case. */
export function takeAgain({ server }: PartServer): void {
  pairs.set(server, { made: pairs.get(server)?.made ?? 0, taken: 0 });
}

async function emptyPair(server: PostgresServer): Promise<readonly [string, string]> {
  const pair = pairs.getOrInsertComputed(server, () => ({ made: 0, taken: 0 }));
  pair.taken += 1;
  const names = [`copy ${pair.taken}`, `living ${pair.taken}`] as const;
  for (const name of names) {
    if (pair.taken > pair.made) await server.sql(`create database "${name}" template postgres`);
    else await server.sql(emptied, name);
  }
  pair.made = Math.max(pair.made, pair.taken);
  return names;
}

/** Everything that a case makes in a database; the schema public itself stays as it came. */
const emptied = `do $$ declare one record; begin
  for one in select evtname as name from pg_event_trigger loop execute format('drop event trigger %I', one.name); end loop;
  for one in select extname as name from pg_extension where extname <> 'plpgsql' loop
    execute format('drop extension if exists %I cascade', one.name); end loop;
  for one in select fdwname as name from pg_foreign_data_wrapper loop
    execute format('drop foreign data wrapper %I cascade', one.name); end loop;
  for one in select nspname as name from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'public') loop
    execute format('drop schema %I cascade', one.name); end loop;
  for one in select replace(type, ' object', '') as type, identity from pg_depend, pg_identify_object(classid, objid, 0)
      where refclassid = 'pg_namespace'::regclass and refobjid = 'public'::regnamespace and deptype = 'n' order by type <> 'table' loop
    execute format('drop %s if exists %s cascade', one.type, one.identity); end loop;
  for one in select grantee::regrole::text as name from pg_namespace, aclexplode(nspacl) where nspname = 'public'
      and grantee not in (0, nspowner) loop execute format('revoke all on schema public from %s', one.name); end loop;
end $$`;

/** `living` is what stands in the living one; without it nothing. */
export async function partScene(
  { server, major, clients }: PartServer,
  then: string,
  living = '',
  role = 'postgres',
): Promise<PartScene> {
  const [copy, now] = await emptyPair(server);
  await server.sql(then, copy);
  if (living !== '') await server.sql(living, now);
  const url = (name: string): string => server.url.replace(/postgres$/, encodeURIComponent(name));
  const asRole = url(now).replace('postgres@', `${role}@`);
  const to = await livingAt(asRole, major, signal);
  const connect = async (address: string): Promise<ServerConnection> =>
    await connectTo({ url: address, use: 'statements', signal });
  return {
    urls: { copy: url(copy), living: url(now) },
    copy: async (sql) => await server.sql(sql, copy),
    living: async (sql) => await server.sql(sql, now),
    shape: async (asked, kept = { owner: true, privileges: true }) => {
      await using from = await connect(url(copy));
      await using into = await connect(asRole);
      await from.rows("select set_config('search_path', '', false)");
      const wanted = asked.map((one) => ({ kind: 'table', as: undefined, ...one }) as const);
      const parts: FoundPart[] = [];
      for (const part of namedParts(wanted)) parts.push(await findPart(from, part));
      return await shape(from, into, { parts, kept });
    },
    load: async (shaped) => await loadBy({ server, major, clients }, { copy, living: to, shaped }),
  };
}

interface Loading {
  /** The database that stands for the copy. */
  readonly copy: string;
  readonly living: Living;
  readonly shaped: Shaped;
}

/** By the server's socket itself, for a link would be refused, at the port that one in a sandbox has. */
async function loadBy({ server, major, clients }: PartServer, { copy, living, shaped }: Loading): Promise<LoadedParts> {
  await using dir = await tempDir();
  const [sockets = ''] = await server.sql('show unix_socket_directories');
  const [port = ''] = await server.sql('show port');
  await link(`${sockets}/.s.PGSQL.${port}`, dir.file('.s.PGSQL.5432'));
  const names = ['pg_dump', 'pg_restore'] as const;
  const client = await clientHere({ place: undefined, programs: [clients], signal }, major, names);
  if (client === undefined) throw new Error('there are no clients');
  const from = { socketFolder: dir.path, superuser: 'postgres', database: copy };
  const how = { clock: systemClock, signal, listener: silent };
  return await loadParts({ ...how, dumping: client, loading: client, copy: from, living, shaped });
}
