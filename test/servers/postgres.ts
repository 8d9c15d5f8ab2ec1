import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { absent } from '../absences.ts';
import { runOk } from '../support/run-program.ts';
import { cached } from './cache.ts';
import { asServer, giveToServer, quitServer } from './postgres-user.ts';
import { startServer, type RunningServer } from './running.ts';

/** Where Debian's package postgresql-15 has its programs. .ci/run installs it where it is missing. */
const programs = '/usr/lib/postgresql/15/bin';

/** Why a test with PostgreSQL 15 can't run here, or false. */
export function withoutPostgres(): string | false {
  return existsSync(join(programs, 'postgres')) ? false : absent('postgres');
}

/** A server of its own, which anybody on this host may ask as `postgres`, without a password. */
export interface Postgres extends AsyncDisposable {
  readonly running: RunningServer;
  readonly data: string;
  /** The address of a database, over TCP. */
  readonly url: (database: string) => string;
  /** What a shell puts before `pg_dump` or `psql`, so that they ask this server by programs of its version. */
  readonly before: string;
  /** Runs statements in a database; the rows, their columns parted by `|`. */
  readonly sql: (database: string, text: string) => Promise<string>;
  /** Restores a dump in the custom format into a new database. */
  readonly load: (database: string, dump: string) => Promise<void>;
}

export interface PostgresOptions {
  /** As `name=value`. */
  readonly settings?: readonly string[];
  /** A data directory that is there; without it a new cluster. */
  readonly data?: string;
  /** What the server's own children see. */
  readonly env?: Readonly<Record<string, string>>;
}

/** PostgreSQL 15, by a user who may run it. It keeps nothing that a crash of the host would lose. */
export async function startPostgres({ settings = [], data: there, env = {} }: PostgresOptions = {}): Promise<Postgres> {
  let [data, sockets] = ['', ''];
  const addressAt = (port: number): readonly string[] => [`PGHOST=${sockets}`, `PGPORT=${port}`, 'PGUSER=postgres'];
  const runAt = async (port: number, name: string, args: readonly string[]): Promise<string> =>
    (await runOk('env', [...addressAt(port), join(programs, name), ...args])).toString().trimEnd();
  const running = await startServer({
    program: 'env',
    env,
    args: async ({ dir, port }) => {
      data = there ?? dir.file('data');
      sockets = dir.file('sockets');
      await chmod(dir.path, 0o755);
      await mkdir(sockets);
      await giveToServer(sockets);
      if (there === undefined) await runOk('cp', ['-a', '--reflink=auto', await template(), data]);
      const own = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${sockets}`, 'fsync=off'];
      return asServer([join(programs, 'postgres'), '-D', data, ...[...own, ...settings].flatMap((one) => ['-c', one])]);
    },
    // It listens before it lets anybody in.
    ready: async ({ port }) => (await runAt(port, 'psql', ['-XAtq', '-d', 'postgres', '-c', 'select 1'])) === '1',
  });
  const run = async (name: string, args: readonly string[]): Promise<string> => await runAt(running.port, name, args);
  return {
    running,
    data,
    url: (database) => `postgres://postgres@127.0.0.1:${running.port}/${database}`,
    before: ['env', ...addressAt(running.port), `PATH=${programs}:/usr/bin:/bin`].join(' '),
    sql: async (database, text) => await run('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', text]),
    load: async (database, dump) => {
      await run('createdb', [database]);
      await run('pg_restore', ['--no-owner', '--exit-on-error', '--dbname', database, dump]);
    },
    [Symbol.asyncDispose]: async () => {
      await quitServer(running);
      await running[Symbol.asyncDispose]();
    },
  };
}

/** A new cluster, made once a release, to be copied; with segments of 1 MiB, of which a log costs a sixteenth. */
async function template(): Promise<string> {
  const release = (await runOk(join(programs, 'postgres'), ['--version'])).toString().trim();
  const folder = await cached(`${release.replaceAll(/[^\w.]+/g, '-')}-template`, async (target) => {
    await newCluster(join(target, 'data'));
  });
  return join(folder, 'data');
}

async function newCluster(data: string): Promise<void> {
  await mkdir(data);
  await giveToServer(data);
  const cluster = ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--wal-segsize=1'];
  const [program, ...args] = asServer([join(programs, 'initdb'), ...cluster]);
  await runOk(program, args, { cwd: data, env: { HOME: data } });
}
