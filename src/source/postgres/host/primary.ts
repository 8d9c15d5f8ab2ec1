import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { connectTo, type ServerConnection } from '../connect.ts';
import { lsnText } from '../lsn.ts';

interface Watching {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * 'refused' unless `url` leads to the primary of the very cluster that `standby` follows: the backup of a standby's files
 * starts and stops there.
 */
export async function assertPrimary(url: string, standby: ServerConnection, signal: AbortSignal): Promise<void> {
  await using primary = await connectTo({ url, use: 'statements', signal });
  const question = 'select (select system_identifier from pg_control_system()), pg_is_in_recovery()';
  const [[ofPrimary, primaryRecovers] = []] = await primary.rows(question);
  const [[ofStandby, standbyRecovers] = []] = await standby.rows(question);
  if (ofPrimary !== ofStandby) throw refused(`leads to another cluster, ${ofPrimary ?? 'of no identifier'}`);
  if (isTrue(primaryRecovers)) throw refused('leads to a standby');
  if (!isTrue(standbyRecovers)) throw refused('is of no use: the address of the cluster leads to no standby');
}

function refused(how: string): HoldfastError {
  return new HoldfastError('refused', `the address of the \`primary\` ${how}`);
}

/**
 * Waits until the standby's files hold everything before `startLsn`: it has to have replayed the checkpoint that the
 * backup began with, and to have written what it had in memory. A checkpoint asked of a standby is a restartpoint, at the
 * newest checkpoint that it has replayed.
 */
export async function untilWritten(standby: ServerConnection, startLsn: bigint, watching: Watching): Promise<void> {
  const question = `select pg_is_in_recovery(), pg_last_wal_replay_lsn() > $1::pg_lsn,
    (select redo_lsn from pg_control_checkpoint()) >= $1::pg_lsn`;
  await until(`had replayed and written ${lsnText(startLsn)}`, watching, async () => {
    const [[recovers, replayed, written] = []] = await standby.rows(question, [lsnText(startLsn)]);
    if (!isTrue(recovers)) throw promoted();
    if (isTrue(written)) return true;
    if (isTrue(replayed)) await standby.rows('checkpoint');
    return false;
  });
}

/** Waits until the log up to `endLsn` is in the standby's pg_wal. 'source-failed' where it was promoted meanwhile. */
export async function untilReceived(standby: ServerConnection, endLsn: bigint, watching: Watching): Promise<void> {
  const question = `select pg_is_in_recovery(),
    greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) >= $1::pg_lsn`;
  await until(`had received ${lsnText(endLsn)}`, watching, async () => {
    const [[recovers, received] = []] = await standby.rows(question, [lsnText(endLsn)]);
    if (!isTrue(recovers)) throw promoted();
    return isTrue(received);
  });
}

const betweenMs = 100;
const mostMs = 30 * 60_000;

async function until(what: string, { clock, signal }: Watching, isDone: () => Promise<boolean>): Promise<void> {
  const givenUpMs = clock.monotonicMs() + mostMs;
  while (!(await isDone())) {
    if (clock.monotonicMs() > givenUpMs)
      throw new HoldfastError('source-failed', `half an hour went by before the standby ${what} of its primary’s log`);
    await clock.sleep(betweenMs, signal);
  }
}

function promoted(): HoldfastError {
  return new HoldfastError('source-failed', 'the standby was promoted while it was backed up: try again');
}

function isTrue(text: string | null | undefined): boolean {
  return text === 't' || text === 'true';
}
