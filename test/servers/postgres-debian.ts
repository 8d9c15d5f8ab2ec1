import { existsSync } from 'node:fs';
import { appendFile, chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { absent } from '../absences.ts';
import { runOk } from '../support/run-program.ts';
import { quitServer } from './postgres-user.ts';
import { startServer, type RunningServer } from './running.ts';

const programs = '/usr/lib/postgresql/15/bin';

/** Why a test with a cluster as Debian makes it can't run here, or false: its tools work as root, for the user postgres. */
export function withoutDebianCluster(): string | false {
  if (process.getuid?.() !== 0) return absent('root');
  return existsSync('/usr/bin/pg_createcluster') && existsSync(join(programs, 'postgres')) ? false : absent('postgres');
}

/** PostgreSQL 15 as Debian sets it up: its configuration stands outside of the data directory, its clients use passwords. */
export interface DebianCluster extends AsyncDisposable {
  readonly running: RunningServer;
  readonly data: string;
  /** Where postgresql.conf, pg_hba.conf and pg_ident.conf stand, and conf.d, which the first includes. */
  readonly configuration: string;
  /** As the superuser, by the socket. */
  readonly sql: (text: string) => Promise<string>;
}

/** Nothing of it stands where the host has its own clusters. */
export async function startDebianCluster(name: string, settings: readonly string[] = []): Promise<DebianCluster> {
  let folder = '';
  const running = await startServer({
    program: 'env',
    args: async ({ dir, port }) => {
      folder = dir.path;
      await chmod(folder, 0o755);
      const create = ['15', name, '-d', dir.file('data'), '-s', dir.file('run'), '-l', dir.file('run/log')];
      for (const made of ['etc', 'run']) await mkdir(dir.file(made));
      await runOk('chown', ['postgres:', dir.file('run')]);
      await runOk('pg_createcluster', [...create, '-p', `${port}`, '--start-conf=manual', '--', '--no-sync', '-k'], {
        env: { PG_CLUSTER_CONF_ROOT: dir.file('etc') },
      });
      const text = ['fsync = off', 'autovacuum = off', ...settings].map((line) => `${line}\n`).join('');
      await appendFile(dir.file('etc/15', name, 'conf.d/own.conf'), text);
      return startsIt(dir.file('data'), [`config_file=${dir.file('etc/15', name, 'postgresql.conf')}`]);
    },
    ready: async ({ port }) => (await asks(join(folder, 'run'), port, 'select 1')) === '1',
  });
  return {
    running,
    data: join(folder, 'data'),
    configuration: join(folder, 'etc/15', name),
    sql: async (text) => await asks(join(folder, 'run'), running.port, text),
    [Symbol.asyncDispose]: async () => {
      await quitServer(running);
      await running[Symbol.asyncDispose]();
    },
  };
}

/** A server of the same programs on a data directory that was restored, by these settings. */
export async function startDebianCopy(
  data: string,
  settings: readonly string[],
): Promise<Pick<DebianCluster, 'sql' | typeof Symbol.asyncDispose>> {
  let folder = '';
  const running = await startServer({
    program: 'env',
    args: async ({ dir, port }) => {
      folder = dir.path;
      await runOk('chown', ['postgres:', dir.path]);
      await chmod(dir.path, 0o755);
      const own = [`port=${port}`, `unix_socket_directories=${dir.path}`];
      return startsIt(data, [...settings, ...own]);
    },
    ready: async ({ port }) => (await asks(folder, port, 'select 1')) === '1',
  });
  return {
    sql: async (text) => await asks(folder, running.port, text),
    [Symbol.asyncDispose]: async () => {
      await quitServer(running);
      await running[Symbol.asyncDispose]();
    },
  };
}

const asPostgres = ['setpriv', '--reuid', 'postgres', '--regid', 'postgres', '--init-groups'] as const;

function startsIt(data: string, settings: readonly string[]): readonly string[] {
  return [...asPostgres, join(programs, 'postgres'), '-D', data, ...settings.flatMap((one) => ['-c', one])];
}

async function asks(socket: string, port: number, text: string): Promise<string> {
  const words = [join(programs, 'psql'), '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', socket, '-p', `${port}`];
  const answer = await runOk('env', [...asPostgres, ...words, '-d', 'postgres', '-c', text], { cwd: '/' });
  return answer.toString().trimEnd();
}
