import { existsSync } from 'node:fs';
import {
  postgresMajors,
  startPostgresVersion,
  withoutPostgresVersions,
  type PostgresMajor,
  type PostgresServer,
} from '../../test/servers/postgres-versions.ts';
import { postgresPrograms } from '../../test/servers/postgres-program.ts';

/** A server that npm brings, and whether pg_dump of its major is on this machine, which npm doesn't bring. */
export interface FoundPostgres {
  readonly major: PostgresMajor;
  readonly programs: string;
  readonly hasClients: boolean;
}

/** The newest major that this machine has clients of, else the newest; or why no server can be had here. */
export async function findPostgres(): Promise<FoundPostgres | { readonly absent: string }> {
  const absent = withoutPostgresVersions();
  if (absent !== false) return { absent };
  const withClients = postgresMajors.findLast((one) => existsSync(`/usr/lib/postgresql/${one}/bin/pg_dump`));
  const major = withClients ?? '18';
  try {
    return { major, programs: await postgresPrograms(major), hasClients: withClients !== undefined };
  } catch (error) {
    const [first = ''] = error instanceof Error ? error.message.split('\n') : [String(error)];
    return { absent: `npm could not fetch it: ${first}` };
  }
}

/** A cluster of its own, or the one of a data directory that is there. */
export async function startShop(major: PostgresMajor, data?: string): Promise<PostgresServer> {
  return await startPostgresVersion({ major, ...(data === undefined ? {} : { data }) });
}

export const loadedOrders = 20_000;

/** 200 customers, and orders of before the ledger began. */
export async function loadShop({ sql }: PostgresServer): Promise<void> {
  await sql(`
    create table customers (id int primary key, name text not null);
    create table orders (id int primary key, customer int not null references customers, cents int not null, note text);
    insert into customers select id, 'customer ' || id from generate_series(1, 200) id;
    insert into orders select id, 1 + id % 200, 100 + id % 900, repeat(md5(id::text), 20)
      from generate_series(1, ${loadedOrders}) id;`);
}

/** Now, as the server has it: `2026-11-20 14:30:00.123456Z`. */
export async function serverTime({ sql }: PostgresServer): Promise<string> {
  const [time = ''] = await sql("select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.USZ')");
  return time;
}

/** Up to where its log is written. */
export async function writtenTo({ sql }: PostgresServer): Promise<string> {
  const [position = ''] = await sql('select pg_current_wal_flush_lsn()');
  return position;
}

/**
 * The cents of those orders that came in since it was loaded, by their numbers. One more than were written down may have
 * been on its way: nobody was promised that.
 */
export async function ordersIn(
  { sql }: PostgresServer,
  table: string,
  written: number,
): Promise<ReadonlyMap<number, number>> {
  const rows = await sql(
    `select id, cents from ${table} where id > ${loadedOrders} and id <> ${loadedOrders + written + 1}`,
  );
  return new Map(
    rows.map((row) => {
      const [id = '', cents = ''] = row.split('|');
      return [Number(id), Number(cents)];
    }),
  );
}
