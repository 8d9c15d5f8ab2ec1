import { chmod, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/clock/clock.ts';
import type { Extent, LogStore } from '../../src/log/log.ts';
import { giveToServer } from '../servers/postgres-user.ts';
import { smallSegments } from '../servers/postgres-program.ts';
import { startPostgresVersion, type PostgresMajor, type PostgresServer } from '../servers/postgres-versions.ts';
import { extentNamed, logOf } from './postgres-log.ts';
import { definedOf } from './holdfast.ts';
import { lockHolder } from './lock-holder.ts';
import { runOk, type RunResult } from './run-program.ts';
import { servedAsServer } from './served-as-server.ts';
import { tempDir, type TempDir } from './temp-dir.ts';
import { cheapRepositories } from './two-tools.ts';

/** A server that hands its log over to the program itself, as `postgres setup --apply` arranges it. */
export interface ArchivingScene extends AsyncDisposable {
  readonly dir: TempDir;
  readonly server: PostgresServer;
  /** Any command of the program, as the server's user, in the data directory; what the server runs is the program itself. */
  readonly run: (...words: readonly string[]) => Promise<RunResult>;
  readonly program: string;
  /** Gives the repositories back to the server's user, after a test has written there itself. */
  readonly ownRepositories: () => Promise<void>;
  /** What waits for the server's archiver. */
  readonly ready: () => Promise<readonly string[]>;
  /** Ends the segment that is written; resolves with its name. */
  readonly switchLog: () => Promise<string>;
  /** What a segment of the server's holds, by its name. */
  readonly extent: (name: string) => Extent;
  readonly withStore: <T>(repository: string, body: (store: LogStore) => Promise<T>) => Promise<T>;
  readonly workerPid: () => Promise<number | undefined>;
  readonly spool: () => Promise<string>;
  /** Starts the server again on its data directory, after it was stopped. */
  readonly restart: () => Promise<PostgresServer>;
}

export interface ArchivingOptions {
  readonly major: PostgresMajor;
  /** What follows `mode: archive,` in the policy. */
  readonly log: string;
  readonly settings?: readonly string[];
  /** Without it the server's segments have 1 MiB. */
  readonly initdb?: readonly string[];
  /** Without it the server hands its log over, as `postgres setup --apply` arranges it. */
  readonly archiving?: 'by nobody';
}

const program = join(import.meta.dirname, '../../bin/holdfast');
const repositories = ['near', 'far', 'third'] as const;

export async function archivingScene(options: ArchivingOptions): Promise<ArchivingScene> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const settings = ['archive_mode=on', 'autovacuum=off', ...(options.settings ?? [])];
  const server = stack.use(await startPostgresVersion({ initdb: smallSegments, ...options, settings }));
  await makePlaces(dir, server, options.log);
  const run = runsOf(dir, server);
  if (options.archiving === undefined) await setUp(run);
  stack.defer(async () => await endWorker(dir));
  const own = await ofServer(dir, server);
  const kept = stack.move();
  return {
    dir,
    server,
    run,
    program,
    ownRepositories: async () => await giveRepositories(dir),
    restart: async () => await startPostgresVersion({ major: options.major, data: server.data, settings }),
    workerPid: async () => await workerPid(dir),
    ...own,
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

/** Repositories of the server's user, and the policy that leads to them. */
async function makePlaces(dir: TempDir, { url }: PostgresServer, log: string): Promise<void> {
  await chmod(dir.path, 0o755);
  await giveToServer(dir.path);
  await cheapRepositories(repositories.map((name) => dir.file(name)));
  await writeFile(dir.file('password'), 'secret');
  await writeFile(dir.file('url'), url);
  await writeFile(dir.file('holdfast.yaml'), policyAt(dir, log));
  await giveRepositories(dir);
}

async function giveRepositories(dir: TempDir): Promise<void> {
  await runOk('chown', ['-R', ...ownerOf(), ...repositories.map((name) => dir.file(name))]);
}

function runsOf(dir: TempDir, { data }: PostgresServer): ArchivingScene['run'] {
  const own = ['--config', dir.file('holdfast.yaml'), '--state-dir', dir.file('state')];
  return async (...words) => await servedAsServer({ args: [...words, ...own], env: definedOf(process.env), cwd: data });
}

async function setUp(run: ArchivingScene['run']): Promise<void> {
  const applied = await run('postgres', 'setup', 'shop-db', '--apply', '--json');
  const said = `${applied.stderr}${applied.stdout.toString()}`;
  if (!said.includes('archive_command')) throw new Error(said);
}

type OfServer = Pick<ArchivingScene, 'ready' | 'switchLog' | 'extent' | 'withStore' | 'spool'>;

async function ofServer(dir: TempDir, { data, sql }: PostgresServer): Promise<OfServer> {
  const [stream = ''] = await sql('select system_identifier from pg_control_system()');
  const [bytes] = await sql("select setting from pg_settings where name = 'wal_segment_size'");
  const statusFolder = join(data, 'pg_wal/archive_status');
  return {
    ready: async () => (await readdir(statusFolder)).filter((name) => name.endsWith('.ready')),
    switchLog: async () => {
      // In one statement: the server may write more of its own at any moment.
      const mark = "pg_create_restore_point('mark')";
      const [name = ''] = await sql(`select pg_walfile_name(pg_switch_wal() - 1) from ${mark}`);
      return name;
    },
    extent: (name) => extentNamed(name, Number(bytes)),
    withStore: async (repository, body) => {
      await using log = await logOf(dir.path, { sql: async () => [stream] }, repository);
      return await body(log.store);
    },
    spool: async () => {
      const [own = ''] = (await readdir(dir.file('state/spool/shop-db'))).filter((name) => /^\d+$/.test(name));
      return dir.file('state/spool/shop-db', own);
    },
  };
}

async function workerPid(dir: TempDir): Promise<number | undefined> {
  return await lockHolder(dir.file('state/spool/shop-db/worker.lock'));
}

/** It ends by itself once it has no grant. */
export async function endWorker(dir: TempDir): Promise<void> {
  await rm(dir.file('state/grants'), { recursive: true, force: true });
  await until('the worker has ended', async () => (await workerPid(dir)) === undefined);
}

function policyAt(dir: TempDir, log: string): string {
  const at = (name: string): string =>
    `${name}: { url: ${dir.file(name)}, password: { file: ${dir.file('password')} } }`;
  return `version: 1
repositories: { ${repositories.map(at).join(', ')} }
components:
  shop-db:
    postgres: { url: { file: ${dir.file('url')} } }
    backups: { full: { at: "02:00", to: { near: { keep: { daily: 7 } } } } }
    log: { mode: archive, ${log} }
`;
}

function ownerOf(): readonly string[] {
  return process.getuid?.() === 0 ? ['65534:65534'] : [String(process.getuid?.())];
}

/** After three failures a server's archiver pauses for a minute. */
const mostMs = 150_000;
const pauseMs = { least: 20, most: 400 };

/** What is long in coming is looked at less often: a look costs a connection, or opens a repository. */
export async function until(what: string, isSo: () => Promise<boolean>, withinMs = mostMs): Promise<void> {
  const startMs = systemClock.monotonicMs();
  while (!(await isSo())) {
    const waitedMs = systemClock.monotonicMs() - startMs;
    if (waitedMs > withinMs) throw new Error(`it never came to this: ${what}`);
    await systemClock.sleep(Math.min(Math.max(waitedMs / 10, pauseMs.least), pauseMs.most));
  }
}

const firstReloadMs = 1000;

/**
 * Until a segment is archived. After three failures the server's archiver pauses for a minute: a reload wakes it, ever more
 * seldom, for it costs a start of the program where it fails again.
 */
export async function archived({ sql }: Pick<PostgresServer, 'sql'>, last: string): Promise<void> {
  const startMs = systemClock.monotonicMs();
  let reloadAt = 0;
  await until(`${last} is archived`, async () => {
    if (systemClock.monotonicMs() >= reloadAt) {
      await sql('select pg_reload_conf()');
      const nowMs = systemClock.monotonicMs();
      reloadAt = nowMs + Math.max(firstReloadMs, (nowMs - startMs) / 4);
    }
    const [name = ''] = await sql('select last_archived_wal from pg_stat_archiver');
    return name !== 'null' && name >= last;
  });
}
