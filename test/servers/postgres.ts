import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { absent } from '../absences.ts';
import { runOk } from '../support/run-program.ts';
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
  /** What a shell puts before `pg_dump` or `psql`, so that they ask this server by programs of its version. */
  readonly before: string;
  /** Runs statements in a database; the rows, their columns parted by `|`. */
  readonly sql: (database: string, text: string) => Promise<string>;
  /** Restores a dump in the custom format into a new database. */
  readonly load: (database: string, dump: string) => Promise<void>;
}

/** PostgreSQL 15, by a user who may run it. It keeps nothing that a crash of the host would lose. */
export async function startPostgres(): Promise<Postgres> {
  const running = await startServer({
    program: 'env',
    args: async ({ dir, port }) => {
      const [data, sockets] = [dir.file('data'), dir.file('sockets')];
      await chmod(dir.path, 0o755);
      for (const folder of [data, sockets]) {
        await mkdir(folder);
        await giveToServer(folder);
      }
      const cluster = ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8'];
      const [program, ...args] = asServer([join(programs, 'initdb'), ...cluster]);
      await runOk(program, args, { cwd: data, env: { HOME: data } });
      const settings = [
        `port=${port}`,
        'listen_addresses=127.0.0.1',
        `unix_socket_directories=${sockets}`,
        'fsync=off',
      ];
      return asServer([join(programs, 'postgres'), '-D', data, ...settings.flatMap((one) => ['-c', one])]);
    },
  });
  const address = [`PGHOST=${running.dir.file('sockets')}`, `PGPORT=${running.port}`, 'PGUSER=postgres'];
  const run = async (name: string, args: readonly string[]): Promise<string> =>
    (await runOk('env', [...address, join(programs, name), ...args])).toString().trimEnd();
  return {
    running,
    before: ['env', ...address, `PATH=${programs}:/usr/bin:/bin`].join(' '),
    sql: async (database, text) => await run('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', text]),
    load: async (database, dump) => {
      await run('createdb', [database]);
      await run('pg_restore', ['--no-owner', '--exit-on-error', '--dbname', database, dump]);
    },
    [Symbol.asyncDispose]: async () => {
      await quitServer(running.pid);
      await running[Symbol.asyncDispose]();
    },
  };
}
