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

/** Who writes without a pause takes the processor from what is tested. */
const pauseMs = 4;

/** Between what somebody does who writes with a connection for each transaction. */
export const unhurried = async (): Promise<void> => await systemClock.sleep(5 * pauseMs);

/** Rows of `rowBytes` that don't compress, one a transaction. */
export async function writing(
  { url, sql }: Pick<PostgresServer, 'url' | 'sql'>,
  { rowBytes = 32_000 }: { readonly rowBytes?: number } = {},
): Promise<Writing> {
  await sql('create table if not exists ledger (id int, what bytea)');
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // the server is ended under it
  await client.connect();
  const ledger: Commit[] = [];
  let goesOn = true;
  const insert = `insert into ledger select $1, decode(string_agg(md5(random()::text), ''), 'hex') from generate_series(1, ${rowBytes / 16})`;
  const write = async (): Promise<void> => {
    for (let id = 0; goesOn; id++) {
      await client.query(insert, [id]);
      const { rows } = await client.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
      ledger.push({ id, lsn: parseLsn(rows[0]?.lsn ?? ''), ms: systemClock.monotonicMs() });
      await systemClock.sleep(pauseMs);
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

/** Work beside a test: until it is stopped, or the test fails, which is not to be hidden by what the work meets then. */
export function goingOn(
  work: (ended: AbortSignal) => Promise<void>,
): Pick<Writing, 'stop' | typeof Symbol.asyncDispose> {
  const ended = new AbortController();
  const done = work(ended.signal);
  done.catch(() => undefined); // stop tells it
  const stop = async (): Promise<void> => {
    ended.abort();
    await done;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}
