import pg from 'pg';
import { systemClock } from '../../src/clock/clock.ts';
import { parseLsn } from '../../src/source/postgres/lsn.ts';
import type { PostgresServer } from '../servers/postgres-versions.ts';

/** A commit that the server has acknowledged, and a position in its log behind it. */
export interface Commit {
  readonly id: number;
  readonly lsn: bigint;
  readonly ms: number;
}

/** Somebody who writes all the time, and keeps a ledger outside. */
export interface Writing extends AsyncDisposable {
  readonly ledger: readonly Commit[];
  readonly stop: () => Promise<void>;
}

/** Rows of some KiB that don't compress, one a transaction. */
export async function writing({ url, sql }: Pick<PostgresServer, 'url' | 'sql'>): Promise<Writing> {
  await sql('create table if not exists ledger (id int, what bytea)');
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // the server is ended under it
  await client.connect();
  const ledger: Commit[] = [];
  let goesOn = true;
  const insert = `insert into ledger select $1, decode(string_agg(md5(random()::text), ''), 'hex') from generate_series(1, 2000)`;
  const write = async (): Promise<void> => {
    for (let id = 0; goesOn; id++) {
      await client.query(insert, [id]);
      const { rows } = await client.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
      ledger.push({ id, lsn: parseLsn(rows[0]?.lsn ?? ''), ms: systemClock.monotonicMs() });
    }
  };
  const done = write().catch((error: unknown) => {
    if (goesOn) return void error; // the server is gone: what it acknowledged is in the ledger
    throw error;
  });
  const stop = async (): Promise<void> => {
    goesOn = false;
    await done;
  };
  return {
    ledger,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await client.end().catch(() => undefined); // the server is gone
    },
  };
}
