import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/clock/clock.ts';
import { processIsAlive } from '../../src/host/users.ts';
import type { LogStore } from '../../src/log/log.ts';
import { asServer, giveToServer } from '../servers/postgres-user.ts';
import { startPostgresVersion, type PostgresMajor, type PostgresServer } from '../servers/postgres-versions.ts';
import { logOf } from './postgres-log.ts';
import { runOk, runProgram, type RunResult } from './run-program.ts';
import { tempDir, type TempDir } from './temp-dir.ts';
import { cheapRepositories } from './two-tools.ts';

/** A server that hands its log over to the program itself, as `postgres setup --apply` arranges it. */
export interface ArchivingScene extends AsyncDisposable {
  readonly dir: TempDir;
  readonly server: PostgresServer;
  /** Any command of the program, as the server's user, in the data directory. */
  readonly run: (...words: readonly string[]) => Promise<RunResult>;
  readonly program: string;
  /** Gives the repositories back to the server's user, after a test has written there itself. */
  readonly ownRepositories: () => Promise<void>;
  /** What waits for the server's archiver. */
  readonly ready: () => Promise<readonly string[]>;
  /** Ends the segment that is written; resolves with its name. */
  readonly switchLog: () => Promise<string>;
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
  readonly initdb?: readonly string[];
  /** Without it the server hands its log over, as `postgres setup --apply` arranges it. */
  readonly archiving?: 'by nobody';
}

const program = join(import.meta.dirname, '../../bin/holdfast');
const repositories = ['near', 'far', 'third'] as const;

export async function archivingScene(options: ArchivingOptions): Promise<ArchivingScene> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  await chmod(dir.path, 0o755);
  await giveToServer(dir.path);
  await cheapRepositories(repositories.map((name) => dir.file(name)));
  await writeFile(dir.file('password'), 'secret');
  const settings = ['archive_mode=on', 'autovacuum=off', ...(options.settings ?? [])];
  const server = stack.use(await startPostgresVersion({ ...options, settings }));
  await writeFile(dir.file('url'), server.url);
  await writeFile(dir.file('holdfast.yaml'), policyAt(dir, options.log));
  const ownRepositories = async (): Promise<void> =>
    void (await runOk('chown', ['-R', ...ownerOf(), ...repositories.map((name) => dir.file(name))]));
  await ownRepositories();
  const own = ['--config', dir.file('holdfast.yaml'), '--state-dir', dir.file('state')];
  const run: ArchivingScene['run'] = async (...words) => {
    const [as, ...rest] = asServer([program, ...words, ...own]);
    return await runProgram(as, rest, { env: { PATH: process.env['PATH'] ?? '' }, cwd: server.data });
  };
  if (options.archiving === undefined) {
    const applied = await run('postgres', 'setup', 'shop-db', '--apply', '--json');
    const said = `${applied.stderr}${applied.stdout.toString()}`;
    if (!said.includes('archive_command')) throw new Error(said);
  }
  const [stream = ''] = await server.sql('select system_identifier from pg_control_system()');
  const statusFolder = join(server.data, 'pg_wal/archive_status');
  const scene: ArchivingScene = {
    dir,
    server,
    run,
    program,
    ownRepositories,
    ready: async () => (await readdir(statusFolder)).filter((name) => name.endsWith('.ready')),
    switchLog: async () => {
      await server.sql("select pg_create_restore_point('mark'), pg_switch_wal()");
      const [name = ''] = await server.sql('select pg_walfile_name(pg_current_wal_lsn() - 1)');
      return name;
    },
    withStore: async (repository, body) => {
      await using log = await logOf(dir.path, { sql: async () => [stream] }, repository);
      return await body(log.store);
    },
    workerPid: async () => Number(await readFile(dir.file('state/spool/shop-db/worker.lock'), 'utf8')) || undefined,
    spool: async () => {
      const [own = ''] = (await readdir(dir.file('state/spool/shop-db'))).filter((name) => /^\d+$/.test(name));
      return dir.file('state/spool/shop-db', own);
    },
    restart: async () => await startPostgresVersion({ major: options.major, data: server.data, settings }),
    [Symbol.asyncDispose]: async () => {
      await rm(dir.file('state/grants'), { recursive: true, force: true }); // its worker ends by itself
      const pid = await scene.workerPid().catch(() => undefined);
      if (pid !== undefined) await until('the worker has ended', async () => !processIsAlive(pid));
      await kept.disposeAsync();
    },
  };
  const kept = stack.move();
  return scene;
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

const mostMs = 60_000;

export async function until(what: string, isSo: () => Promise<boolean>, withinMs = mostMs): Promise<void> {
  const giveUpAt = systemClock.monotonicMs() + withinMs;
  while (!(await isSo())) {
    if (systemClock.monotonicMs() > giveUpAt) throw new Error(`it never came to this: ${what}`);
    await systemClock.sleep(50);
  }
}
