import type { ServerConnection } from '../connect.ts';
import type { SandboxedServer } from '../sandboxed-server.ts';

export interface Databases {
  readonly names: readonly string[];
  /** Those whose removal was interrupted: no server opens them. */
  readonly invalid: readonly string[];
}

/** What a server writes as the limit of connections of a database that it was removing. */
const beingRemoved = '-2';

/** Every database of a copy. One that lets nobody in is opened to us: what becomes of a copy is nobody's business. */
export async function openDatabases(server: SandboxedServer): Promise<Databases> {
  return await server.in(server.description.database, async (connection) => {
    const rows = await connection.rows(
      'select datname, datconnlimit, datallowconn, quote_ident(datname) from pg_database order by datname',
    );
    const there = rows.filter(([, limit]) => limit !== beingRemoved);
    for (const [, , allows, quoted] of there)
      if (allows !== 't') await connection.rows(`alter database ${quoted} with allow_connections true`);
    return {
      names: there.map(([name]) => name ?? ''),
      invalid: rows.flatMap(([name, limit]) => (limit === beingRemoved ? [name ?? ''] : [])),
    };
  });
}

/**
 * Rolls back what was prepared and neither committed nor rolled back when the backup was made: its locks came with the
 * copy, and whoever reads what they hold would wait for ever. Rows that it wrote count for nobody either way.
 */
export async function endPrepared(server: SandboxedServer, databases: Databases): Promise<void> {
  await inEach(server, databases, async (connection) => {
    const prepared = 'select quote_literal(gid) from pg_prepared_xacts where database = current_database()';
    for (const [gid] of await connection.rows(prepared)) await connection.rows(`rollback prepared ${gid}`);
  });
}

/** One database after the other, with what each has to tell. */
export async function inEach<Found>(
  server: Pick<SandboxedServer, 'in'>,
  { names }: Pick<Databases, 'names'>,
  body: (connection: ServerConnection, database: string) => Promise<Found>,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const name of names) found.push(await server.in(name, async (connection) => await body(connection, name)));
  return found;
}
