import { open } from 'node:fs/promises';
import { HoldfastError } from '../../errors/error.ts';
import type { QueryAnswer, RehearsedStep } from '../rehearsal.ts';
import { connectTo, ServerError, type ServerConnection } from './connect.ts';
import type { Description } from './description.ts';
import { accusesCopy } from './surroundings.ts';
import { usualWaits } from './waits.ts';

const expected = 'every table can be read';

/** Until a large table is read. */
const waits = { ...usualWaits, answerMs: 24 * 3_600_000 };

/** What production has set for a role or a database came with the copy, and would hide its damages or end its reading. */
const settings = {
  zero_damaged_pages: 'off',
  ignore_checksum_failure: 'off',
  statement_timeout: '0',
  idle_session_timeout: '0',
};

/** A server that runs in a sandbox, asked from outside through its socket, which stands in a folder of ours. */
export class SandboxedServer {
  readonly #folder: string;
  readonly #description: Description;
  readonly #signal: AbortSignal;

  constructor(folder: string, description: Description, signal: AbortSignal) {
    this.#folder = folder;
    this.#description = description;
    this.#signal = signal;
  }

  /** The first value of the first row; '' where there is none. */
  async query(sql: string): Promise<QueryAnswer> {
    try {
      const [[value] = []] = await this.#in(this.#description.database, async (server) => await server.rows(sql));
      return { kind: 'value', text: value ?? '' };
    } catch (error) {
      return this.#judged(error);
    }
  }

  /**
   * Counts the rows of every permanent table, materialised view, TOAST table and sequence by a sequential scan, by which
   * the server reads each of their pages, and holds it against its checksum where it has any. No row is decoded, and no
   * index is read.
   */
  async readAll(): Promise<readonly RehearsedStep[]> {
    const step = { name: 'tables', expected } as const;
    let tables = 0;
    try {
      const databases = await this.#in(this.#description.database, async (server) => await server.rows(allDatabases));
      for (const [database] of databases)
        tables += await this.#in(database ?? '', async (server) => await readTables(server));
      const pages =
        this.#description.dataChecksums === 'off' ? '; checksums NOT RUN: the cluster has none of its pages' : '';
      return [{ ...step, state: 'passed', found: `${tables} tables of ${databases.length} databases${pages}` }];
    } catch (error) {
      const { kind, reason } = this.#judged(error);
      return [{ ...step, state: kind === 'refused' ? 'failed' : 'not run', found: reason }];
    }
  }

  #judged(error: unknown): Exclude<QueryAnswer, { kind: 'value' }> {
    this.#signal.throwIfAborted();
    if (!(error instanceof HoldfastError)) throw error;
    const accuses = error instanceof ServerError && accusesCopy(error.sqlState, error.message);
    return { kind: accuses ? 'refused' : 'lacking', reason: error.message };
  }

  /** A path to a socket has at most 107 bytes: that of an open folder is short. */
  async #in<Result>(database: string, body: (server: ServerConnection) => Promise<Result>): Promise<Result> {
    await using folder = await open(this.#folder);
    const role = encodeURIComponent(this.#description.superuser);
    const place = `host=/proc/self/fd/${folder.fd}&port=5432`;
    const url = `postgres://${role}@localhost/${encodeURIComponent(database)}?${place}`;
    await using server = await connectTo({ url, use: 'statements', signal: this.#signal, waits, settings });
    return await body(server);
  }
}

const allDatabases = 'select datname from pg_database where datallowconn order by datname';

/** With what stands beside tables (values too large for a row) and sequences. */
const allRelations = `select format('%I.%I', nspname, relname), relkind from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
  where relkind in ('r', 'm', 't', 'S') and relpersistence = 'p' order by 1`;

async function readTables(server: ServerConnection): Promise<number> {
  const relations = await server.rows(allRelations);
  for (const off of ['indexscan', 'indexonlyscan', 'bitmapscan']) await server.rows(`set enable_${off} = off`);
  for (const [relation] of relations) await server.rows(`select count(*) from ${relation}`);
  return relations.filter(([, kind]) => kind === 'r' || kind === 'm').length;
}
