import type { RehearsedStep } from '../../rehearsal.ts';
import type { ServerConnection } from '../connect.ts';
import type { SandboxedServer } from '../sandboxed-server.ts';
import { inEach, type Databases } from './databases.ts';
import { firstOf, stepOf } from './step.ts';

const about = { name: 'collations', expected: 'the order of texts that production’s indexes were made by' } as const;

/** Those that an index is ordered by, and that sort otherwise here. */
export const changedCollations = `select oid, quote_ident(collname), collversion, pg_collation_actual_version(oid), collprovider
  from pg_collation where collversion is not null and collversion is distinct from pg_collation_actual_version(oid)
  and exists (select from pg_index where pg_collation.oid = any (indcollation::oid[]))`;

/** That of a database as a whole is written down from 15 on. */
export const changedDefault = `select datcollversion, pg_database_collation_actual_version(oid), datlocprovider
  from pg_database where datname = current_database()
  and datcollversion is not null and datcollversion is distinct from pg_database_collation_actual_version(oid)`;

/** Where texts sort otherwise than in production, an index that is right there would look wrong here. */
export async function compareCollations(server: SandboxedServer, databases: Databases): Promise<RehearsedStep> {
  return await stepOf(server, about, async () => {
    const others = (
      await inEach(server, databases, async (connection, database) => [
        ...(await defaultIn(server, connection, database)),
        ...(await othersIn(connection, database)),
      ])
    ).flat();
    return others.length === 0
      ? { state: 'passed', found: 'it is the same' }
      : { state: 'not run', found: firstOf(others) };
  });
}

async function defaultIn(
  server: SandboxedServer,
  connection: ServerConnection,
  database: string,
): Promise<readonly string[]> {
  if (server.description.major < 15) return [];
  const rows = await connection.rows(changedDefault);
  return rows.map(([made, here, provider]) => said(`the database ${database}`, made, here, provider));
}

async function othersIn(connection: ServerConnection, database: string): Promise<readonly string[]> {
  const rows = await connection.rows(changedCollations);
  return rows.map(([, name, made, here, provider]) =>
    said(`the collation ${name} of the database ${database}`, made, here, provider),
  );
}

type Cell = string | null | undefined;

function said(what: string, made: Cell, here: Cell, provider: Cell): string {
  const library = provider === 'i' ? 'ICU (libicu)' : provider === 'c' ? 'the C library (glibc)' : 'the server';
  return `${what} sorts by version ${made} of ${library}, and this host has ${here ?? 'none'}: install the one that production has`;
}
