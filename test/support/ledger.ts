import type { PostgresServer } from '../servers/postgres-versions.ts';

/** What was committed, as somebody outside wrote it down; one writer, so that times ascend as positions do. */
export interface Entry {
  readonly id: number;
  readonly xid: string;
  /** Of its commit, in microseconds: `2026-11-20 14:30:00.123456Z`. */
  readonly time: string;
  /** Where the log stood before it began, and behind its commit. */
  readonly before: string;
  readonly after: string;
}

/** Inserts rows into `orders`, each a transaction of its own; every so many the server goes on to the next segment. */
export async function writeLedger(
  shop: PostgresServer,
  ids: readonly number[],
  switchEvery = 4,
): Promise<readonly Entry[]> {
  const ledger: Entry[] = [];
  for (const id of ids) {
    const [before = ''] = await shop.sql('select pg_current_wal_insert_lsn()');
    const [xid = ''] = await shop.sql(
      `insert into orders values (${id}, repeat('x', 1000)) returning pg_current_xact_id()::xid`,
    );
    const [told = ''] = await shop.sql(`select pg_current_wal_insert_lsn() || '|' ||
      to_char(pg_xact_commit_timestamp('${xid}') at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.USZ')`);
    const [after = '', time = ''] = told.split('|');
    ledger.push({ id, xid, time, before, after });
    if (id % switchEvery === 0) await shop.sql('select pg_switch_wal()');
  }
  return ledger;
}
