import { connectTo, type ServerConnection } from './connect.ts';
import { copyAddress, pinCopy } from './copy-socket.ts';
import type { Description } from './description.ts';
import { judgedOf, type Accusation } from './judged.ts';
import type { RowCounts } from './row-counts.ts';
import { usualWaits } from './waits.ts';

/** Until a large table is read. */
const waits = { ...usualWaits, answerMs: 24 * 3_600_000 };

/**
 * What production has set for a role or a database came with the copy, and would hide its damages, end its reading, or
 * write its times in a form of its own.
 */
const settings = {
  zero_damaged_pages: 'off',
  ignore_checksum_failure: 'off',
  ignore_system_indexes: 'off',
  statement_timeout: '0',
  // Nobody else is there: a wait would be for ever.
  lock_timeout: '60s',
  idle_session_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  default_transaction_read_only: 'off',
  datestyle: 'ISO',
};

/** A server that runs in a sandbox, asked from outside through its socket, which stands in a folder of ours. */
export class SandboxedServer {
  readonly description: Description;
  readonly #folder: string;
  readonly #signal: AbortSignal;

  constructor(folder: string, description: Description, signal: AbortSignal) {
    this.#folder = folder;
    this.description = description;
    this.#signal = signal;
  }

  /** That of the address. */
  get database(): string {
    return this.description.database;
  }

  get counts(): RowCounts | undefined {
    return this.description.counts;
  }

  judged(error: unknown): Accusation {
    return judgedOf(error, this.#signal);
  }

  /** In one database, on a connection of its own. */
  async in<Result>(database: string, body: (server: ServerConnection) => Promise<Result>): Promise<Result> {
    await using pinned = await pinCopy(this.#folder);
    const url = copyAddress(pinned, this.description.superuser);
    await using server = await connectTo({ url, database, use: 'statements', signal: this.#signal, waits, settings });
    return await body(server);
  }
}
