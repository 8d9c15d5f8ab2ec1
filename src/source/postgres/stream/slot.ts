import { ServerError, type ServerConnection } from '../connect.ts';
import { parseLsn } from '../lsn.ts';
import type { LogServer } from './log-server.ts';

/** What keeps the server's log until it was streamed. */
export type Slot =
  | { readonly state: 'missing' }
  /** The server has given it up: what it kept may be gone. */
  | { readonly state: 'lost'; readonly reason: string }
  | { readonly state: 'there'; readonly restart: bigint | undefined };

export async function readSlot(statements: ServerConnection, name: string): Promise<Slot> {
  const [row] = await statements.rows(
    'select wal_status, restart_lsn from pg_replication_slots where slot_name = $1 and slot_type = $2',
    [name, 'physical'],
  );
  if (row === undefined) return { state: 'missing' };
  const [status, restart] = row;
  if (status === 'lost') return { state: 'lost', reason: 'it kept more than the server lets a slot keep, or lay idle' };
  return { state: 'there', restart: typeof restart === 'string' ? parseLsn(restart) : undefined };
}

/** Creates one that keeps the log from now on. */
export async function createSlot({ replication, major }: LogServer, name: string): Promise<void> {
  const reserve = major < 15 ? 'RESERVE_WAL' : '(RESERVE_WAL)';
  await done(replication, `CREATE_REPLICATION_SLOT "${name}" PHYSICAL ${reserve}`);
}

/** Once nobody uses it: a walsender that has just ended may hold it for a moment. */
export async function dropSlot(replication: ServerConnection, name: string): Promise<void> {
  await done(replication, `DROP_REPLICATION_SLOT "${name}" WAIT`);
}

async function done(replication: ServerConnection, command: string): Promise<void> {
  for await (const answer of replication.command(command)) void answer;
}

/** How much log the server keeps for a slot; undefined where there is none. */
export async function slotLag(statements: ServerConnection, name: string): Promise<bigint | undefined> {
  const [row] = await statements.rows(
    `select pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end,
      restart_lsn)::bigint from pg_replication_slots where slot_name = $1`,
    [name],
  );
  const [lag] = row ?? [];
  return typeof lag === 'string' ? BigInt(lag) : undefined;
}

/** The first position that the server still has, as far as the role may see; undefined where it may not. */
export async function oldestHeld({ statements, timeline, segmentBytes }: LogServer): Promise<bigint | undefined> {
  try {
    const [[name] = []] = await statements.rows(
      `select min(name) from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$' and left(name, 8) = $1`,
      [timeline.toString(16).toUpperCase().padStart(8, '0')],
    );
    if (typeof name !== 'string') return undefined;
    const [high, low] = [name.slice(8, 16), name.slice(16)].map((part) => BigInt(`0x${part}`));
    return ((high ?? 0n) << 32n) + (low ?? 0n) * BigInt(segmentBytes);
  } catch (error) {
    if (error instanceof ServerError && error.sqlState === insufficientPrivilege) return undefined;
    throw error;
  }
}

const insufficientPrivilege = '42501';
