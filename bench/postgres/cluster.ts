import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where Debian's package postgresql-15 has its programs: pgBackRest 2.45 knows no later version. */
const programs = '/usr/lib/postgresql/15/bin';
/** Who runs the server, and pgBackRest: nobody. */
const user = 65534;
const port = 54_615;

/** pgbench's tables, which compress some twenty times, or as many bytes of which half is random. */
export type Tables = 'pgbench' | 'dense';

/** A server with such tables, by unusual settings only where a benchmark needs them: durable, without autovacuum. */
export interface Cluster {
  readonly data: string;
  readonly sockets: string;
  readonly port: number;
  readonly url: string;
  /** Writes for a while, and has it in the files. */
  write(): void;
  stop(): void;
}

/** What one runs as the server's user. */
export function asUser(words: readonly string[]): readonly [string, ...string[]] {
  return ['setpriv', '--reuid', `${user}`, '--regid', `${user}`, '--clear-groups', ...words];
}

export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o700);
  chownSync(path, user, user);
}

export function program(name: string): string {
  return join(programs, name);
}

/** Made once for a scale, below a folder that everybody may enter. */
export function startCluster(work: string, tables: Tables, scale: number): Cluster {
  const data = join(work, `cluster-${tables}-${scale}`);
  const sockets = join(work, 'sockets');
  makeFolder(sockets);
  const isNew = !existsSync(join(data, 'made'));
  if (isNew) {
    rmSync(data, { recursive: true, force: true });
    makeFolder(data);
    run(['initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-k', '-E', 'UTF8', '--locale=C', '--no-sync']);
    writeFileSync(join(data, 'postgresql.auto.conf'), settings(sockets));
  }
  rmSync(join(data, 'postmaster.pid'), { force: true });
  const [command, ...args] = asUser([program('postgres'), '-D', data]);
  const server = spawn(command, args, { stdio: 'ignore' });
  until(() => existsSync(join(sockets, `.s.PGSQL.${port}`)) && isReady(sockets));
  const address = ['-h', sockets, '-p', `${port}`, '-U', 'postgres'];
  const ask = (statement: string): void => run(['psql', ...address, '-qXc', statement, 'postgres']);
  if (isNew) {
    if (tables === 'pgbench') run(['pgbench', ...address, '-i', '-q', '-s', `${scale}`, 'postgres']);
    else for (const statement of denseTable(scale)) ask(statement);
    writeFileSync(join(data, 'made'), '');
  }
  ask('checkpoint');
  let written = 0;
  return {
    data,
    sockets,
    port,
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    write: () => {
      written += 1;
      if (tables === 'pgbench') run(['pgbench', ...address, '-n', '-t', '500', 'postgres']);
      else ask(`update dense set text = text || ' ' where id / 100 % 50 = ${written % 50}`);
      ask('checkpoint');
    },
    stop: () => {
      server.kill('SIGINT');
      until(() => !existsSync(join(data, 'postmaster.pid')));
    },
  };
}

/** 15 MiB a unit of scale, as pgbench's; room in the pages, so that changed rows stay where they were. */
function denseTable(scale: number): readonly string[] {
  const random = "sha512(n::text::bytea) || sha256((n || 'x')::bytea)";
  return [
    'create table dense (id int, body bytea, text text) with (fillfactor = 90)',
    `insert into dense select n, ${random}, repeat('text ', 19) from generate_series(1, ${scale * 65_000}) n`,
    'create index on dense (id)',
  ];
}

function settings(sockets: string): string {
  const lines = [`port = ${port}`, "listen_addresses = '127.0.0.1'", `unix_socket_directories = '${sockets}'`];
  const sizes = ["shared_buffers = '128MB'", "max_wal_size = '2GB'", 'autovacuum = off', 'fsync = off'];
  return `${[...lines, ...sizes].join('\n')}\n`;
}

function run([name = '', ...args]: readonly string[]): void {
  const [command, ...rest] = asUser([program(name), ...args]);
  execFileSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function isReady(sockets: string): boolean {
  try {
    run(['pg_isready', '-q', '-h', sockets, '-p', `${port}`]);
    return true;
  } catch {
    return false; // not yet
  }
}

function until(done: () => boolean): void {
  for (let tries = 0; tries < 600; tries++) {
    if (done()) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
  throw new Error('the server did not do in a minute what it was to do');
}
