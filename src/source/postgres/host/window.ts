import { HoldfastError } from '../../../errors/error.ts';
import { connectTo, unhurried, type ServerConnection } from '../connect.ts';
import { parseLsn } from '../lsn.ts';
import { usualWaits } from '../waits.ts';

export interface WindowOptions {
  readonly url: string;
  readonly major: number;
  readonly label: string;
  readonly checkpoint: 'fast' | 'spread';
  readonly signal: AbortSignal;
}

/** While it is open the log holds every page whole that is changed: what is read meanwhile can be made right by it. */
export interface BackupWindow extends AsyncDisposable {
  readonly startLsn: bigint;
  /** In the same session, which has to last; without it the server forgets the backup once the connection is closed. */
  stop(): Promise<WindowEnd>;
}

export interface WindowEnd {
  readonly lsn: bigint;
  readonly timeline: number;
  /** What the copy's backup_label has to be, byte for byte. */
  readonly label: Uint8Array;
}

/** A checkpoint that is spread takes as long as the server's settings say. */
const waits = { ...usualWaits, answerMs: usualWaits.firstMs };

/** Begins a backup as the documentation's "low-level API" has it, never the exclusive one. */
export async function openWindow(options: WindowOptions): Promise<BackupWindow> {
  const { url, signal, major, label, checkpoint } = options;
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await connectTo({ url, use: 'statements', signal, waits, settings: unhurried }));
  const fast = checkpoint === 'fast' ? 'true' : 'false';
  const start = major < 15 ? `pg_start_backup($1, ${fast}, false)` : `pg_backup_start($1, ${fast})`;
  const [[lsn] = []] = await server.rows(`select ${start}`, [label]);
  const opened = stack.move();
  return {
    startLsn: parseLsn(lsn ?? ''),
    stop: async () => await stop(server, major),
    [Symbol.asyncDispose]: async () => await opened.disposeAsync(),
  };
}

/** Without waiting for the archive: the log comes from the data directory. */
async function stop(server: ServerConnection, major: number): Promise<WindowEnd> {
  const call = major < 15 ? 'pg_stop_backup(false, false)' : 'pg_backup_stop(false)';
  const query = `select lsn, encode(convert_to(labelfile, getdatabaseencoding()), 'hex') from ${call}`;
  const [[lsn, hex] = []] = await server.rows(query);
  const label = Uint8Array.fromHex(hex ?? '');
  const timeline = /^START TIMELINE: (\d+)$/m.exec(Buffer.from(label).toString('latin1'))?.[1];
  if (timeline === undefined)
    throw new HoldfastError('source-failed', 'the server gave no backup_label that names its timeline');
  return { lsn: parseLsn(lsn ?? ''), timeline: Number(timeline), label };
}
