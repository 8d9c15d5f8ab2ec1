import type { RehearsedStep } from '../../rehearsal.ts';
import { connectTo, type ServerConnection } from '../connect.ts';
import { copyAddress, pinCopy } from '../copy-socket.ts';
import { judgedOf, type Accusation } from '../judged.ts';
import { usualWaits } from '../waits.ts';
import type { LogicalDescription } from './description.ts';
import { quoted } from './quoting.ts';

const waits = { ...usualWaits, answerMs: 24 * 3_600_000 };
const settings = { statement_timeout: '0', lock_timeout: '0', idle_session_timeout: '0', datestyle: 'ISO' };

/** The cluster of a sandbox into which dumps are loaded, asked from outside through its socket. */
export class LoadedServer {
  readonly #folder: string;
  readonly #description: LogicalDescription;
  readonly #signal: AbortSignal;

  constructor(folder: string, description: LogicalDescription, signal: AbortSignal) {
    this.#folder = folder;
    this.#description = description;
    this.#signal = signal;
  }

  /** That of the address where it was dumped, else the first that is not the server's own. */
  get database(): string {
    const { database, databases } = this.#description;
    const names = databases.map(({ name }) => name);
    return names.includes(database) ? database : (names.find((name) => name !== 'postgres') ?? names[0] ?? database);
  }

  get superuser(): string {
    return this.#description.superuser;
  }

  /** Of its databases. */
  get names(): readonly string[] {
    return this.#description.databases.map(({ name }) => name);
  }

  /** Anew, even where a new cluster has one of this name; undefined, or why it was not made. */
  async make(database: string, creation: string): Promise<string | undefined> {
    try {
      await this.in('template1', async (server) => {
        await server.rows(`drop database if exists ${quoted(database)}`);
        await server.rows(`create database ${quoted(database)} ${creation}`);
      });
      return undefined;
    } catch (error) {
      return this.judged(error).reason;
    }
  }

  async column(sql: string): Promise<readonly string[]> {
    const rows = await this.in('template1', async (server) => await server.rows(sql));
    return rows.flatMap(([name]) => name ?? []);
  }

  async makeRoles(names: readonly string[]): Promise<void> {
    await this.in('template1', async (server) => {
      for (const name of names) await server.rows(`create role ${quoted(name)}`);
    });
  }

  async tables(): Promise<readonly RehearsedStep[]> {
    const { databases } = this.#description;
    const step = { name: 'tables', expected: 'tables with what was dumped of them' } as const;
    let [tables, rows] = [0, 0];
    for (const { name } of databases) {
      const counts = await this.in(name, countsIn);
      tables += counts.length;
      rows += counts.reduce((sum, count) => sum + count, 0);
    }
    const found = `${tables} tables of ${databases.length} databases with ${rows} rows`;
    return [{ ...step, state: 'passed', found }];
  }

  judged(error: unknown): Accusation {
    return judgedOf(error, this.#signal);
  }

  async in<Result>(database: string, body: (server: ServerConnection) => Promise<Result>): Promise<Result> {
    await using pinned = await pinCopy(this.#folder);
    const url = copyAddress(pinned, this.superuser);
    await using server = await connectTo({ url, database, use: 'statements', signal: this.#signal, waits, settings });
    return await body(server);
  }
}

const tablesIn = `select format('%I.%I', nspname, relname) from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
  where relkind = 'r' and relpersistence = 'p' and nspname not in ('pg_catalog', 'information_schema') order by 1`;

async function countsIn(server: ServerConnection): Promise<readonly number[]> {
  const counts: number[] = [];
  for (const [table] of await server.rows(tablesIn)) {
    const [[count] = []] = await server.rows(`select count(*) from ${table}`);
    counts.push(Number(count));
  }
  return counts;
}
