import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { runOk } from '../support/run-program.ts';
import { asServer, giveToServer, quitServer } from './postgres-user.ts';
import { postgresPrograms, postgresTemplate, type PostgresMajor, type TemplateOptions } from './postgres-program.ts';
import { startServer, type RunningServer } from './running.ts';

export { postgresMajors, withoutPostgresVersions, type PostgresMajor } from './postgres-program.ts';

export interface PostgresOptions extends TemplateOptions {
  readonly major: PostgresMajor;
  /** As `name=value`, after those that every test has. */
  readonly settings?: readonly string[];
  /** A data directory that is there; without it a new cluster. */
  readonly data?: string;
  /** Puts something into the data directory, or changes what is there, before the server starts. */
  readonly prepare?: (data: string) => Promise<void>;
}

/** A real server of one major, which anybody on this host may ask as `postgres`, without a password. */
export interface PostgresServer extends AsyncDisposable {
  readonly running: RunningServer;
  readonly data: string;
  /** Over TCP; `postgres://postgres@127.0.0.1:…/postgres`. */
  readonly url: string;
  /** The rows of the last statement, as text, columns parted by `|`. */
  readonly sql: (text: string, database?: string) => Promise<readonly string[]>;
  /** Ends it in order; its folder stays until it is disposed. */
  readonly stop: () => Promise<void>;
}

/** It keeps nothing that a crash of the host would lose. As root it runs as nobody. */
export async function startPostgresVersion(options: PostgresOptions): Promise<PostgresServer> {
  const { major, settings = [], prepare = async () => undefined } = options;
  const [programs, template] = [await postgresPrograms(major), await postgresTemplate(major, options)];
  let data = '';
  const running = await startServer({
    program: 'env',
    args: async ({ dir, port }) => {
      data = options.data ?? dir.file('data');
      const sockets = dir.file('sockets');
      await chmod(dir.path, 0o755);
      await mkdir(sockets);
      await giveToServer(sockets);
      if (options.data === undefined) await runOk('cp', ['-a', '--reflink=auto', template, data]);
      await prepare(data);
      const own = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${sockets}`, 'fsync=off'];
      const words = [join(programs, 'postgres'), '-D', data, ...[...own, ...settings].flatMap((one) => ['-c', one])];
      return asServer(words);
    },
    ready: async ({ port }) => (await ask(addressOf(port), 'select 1')).length === 1,
  });
  const url = addressOf(running.port);
  return {
    running,
    data,
    url: `${url}/postgres`,
    sql: async (text, database) => await ask(url, text, database),
    stop: async () => await quitServer(running),
    [Symbol.asyncDispose]: async () => {
      await quitServer(running);
      await running[Symbol.asyncDispose]();
    },
  };
}

function addressOf(port: number): string {
  return `postgres://postgres@127.0.0.1:${port}`;
}

async function ask(url: string, text: string, database = 'postgres'): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: `${url}/${database}` });
  client.on('error', () => undefined); // what was asked hears of it
  try {
    await client.connect();
    const answer: unknown = await client.query({ text, rowMode: 'array' });
    const last: unknown = Array.isArray(answer) ? answer.at(-1) : answer;
    return rowsOf(last).map((row) => row.map(String).join('|'));
  } finally {
    await client.end();
  }
}

function rowsOf(result: unknown): readonly unknown[][] {
  const rows: unknown = typeof result === 'object' && result !== null && 'rows' in result ? result.rows : [];
  return Array.isArray(rows) ? rows.filter((row): row is unknown[] => Array.isArray(row)) : [];
}
