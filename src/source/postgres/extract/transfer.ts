import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../../clock/clock.ts';
import type { Listener } from '../../../events/events.ts';
import { pinCopy } from '../copy-socket.ts';
import type { Client } from '../logical/client.ts';
import { succeeded } from '../logical/client.ts';
import { libpqEnvironment, type LibpqEnvironment } from '../logical/libpq.ts';
import type { Living } from './living.ts';

export interface Transfer {
  /** Of the copy's major. */
  readonly dumping: Client;
  readonly loading: Client;
  readonly copy: { readonly socketFolder: string; readonly superuser: string; readonly database: string };
  readonly living: Living;
  /** What pg_dump is to take, as its options. */
  readonly selection: readonly string[];
  readonly restoring: readonly string[];
  /** As large as it may become, bytes. */
  readonly bytes: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly listener: Listener;
}

/** What nothing of a table needs, and another server may not have. */
const without = ['--no-tablespaces', '--no-publications', '--no-subscriptions', '--no-security-labels'];

/** From pg_dump on the copy to pg_restore, in one transaction: all of it comes, or nothing. */
export async function transfer(given: Transfer): Promise<void> {
  const { dumping, loading, living, clock, signal } = given;
  await using pinned = await pinCopy(given.copy.socketFolder);
  const asked = { clock, signal, onErrorLine: (): void => undefined };
  await using dump = await dumping.start(
    'pg_dump',
    ['--format=custom', '--compress=0', '--no-password', '--strict-names', ...without, ...given.selection],
    { ...asked, connection: inCopy(given.copy, pinned.folder), input: 'empty' },
  );
  const database = `--dbname=dbname='${living.database.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
  await using restore = await loading.start(
    'pg_restore',
    ['--single-transaction', '--exit-on-error', '--no-password', ...given.restoring, database],
    { ...asked, connection: libpqEnvironment(living.url, living.database), input: 'piped' },
  );
  const fed = feed(dump.output, restore.input, given);
  fed.catch(() => undefined); // one of both has ended, and says why
  const both = [
    ['pg_dump', dump],
    ['pg_restore', restore],
  ] as const;
  // The other one fails of the first one's failure, and says nothing of it.
  const first = await Promise.race(
    both.map(async ([program, running]) => await running.ended.then(() => ({ program, running }))),
  );
  await succeeded(first.program, first.running, signal);
  for (const [program, running] of both) await succeeded(program, running, signal);
  await fed.catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && endedUnread.includes(error.code))) throw error;
  });
}

/** pg_restore needs no end of its input where it has all that it wants: what it had not read, it could do without. */
const endedUnread: readonly unknown[] = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'];

async function feed(
  from: AsyncIterable<Uint8Array>,
  to: NodeJS.WritableStream | undefined,
  { bytes, listener }: Transfer,
): Promise<void> {
  if (to === undefined) return;
  let doneBytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of from) {
      doneBytes += chunk.length;
      const totalBytes = Math.max(bytes, doneBytes);
      listener({ kind: 'progress', phase: 'loading', doneBytes, totalBytes, doneItems: 0 });
      yield chunk;
    }
  };
  await pipeline(counted, to);
}

/** What production has set for the role or the database came along, and would hide damages or change what is written. */
const settings = ['zero_damaged_pages=off', 'ignore_checksum_failure=off', 'ignore_system_indexes=off'];

function inCopy({ superuser, database }: Transfer['copy'], socket: string): LibpqEnvironment {
  return {
    PGHOST: socket,
    PGPORT: '5432',
    PGUSER: superuser,
    PGDATABASE: database,
    PGAPPNAME: 'holdfast',
    PGOPTIONS: settings.map((one) => `-c ${one}`).join(' '),
  };
}
