import { appendFile, chmod, mkdir, writeFile } from 'node:fs/promises';
import { systemClock } from '../../src/clock/clock.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { glacier } from '../servers/glacier.ts';
import { startPostgres, type Postgres, type PostgresOptions } from '../servers/postgres.ts';
import { giveToServer } from '../servers/postgres-user.ts';
import { startRedis, type Redis } from '../servers/redis.ts';
import { startSshd } from '../servers/sshd.ts';
import { MovableClock } from '../support/movable-clock.ts';
import type { RunResult } from '../support/run-program.ts';
import { served } from '../support/served.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';
import { commandHere, type StandIns } from './commands.ts';
import { adaptedExample, exampleText } from './example.ts';
import { createRepositories, Places } from './places.ts';
import { secretsIn } from './secrets.ts';

/** A team's system at small scale: its live servers and files, the places of its copies, its policy. */
export interface Stage extends AsyncDisposable {
  readonly dir: TempDir;
  readonly policy: Policy;
  readonly postgres: Postgres;
  readonly redis: Redis;
  /** Where a file or folder of the example lies. */
  readonly live: (path: string) => string;
  /** The time that the program believes. */
  readonly clock: MovableClock;
  /** What a process of its own needs to be the program here, at the real time. */
  readonly aside: Aside;
  /** A command's standard output; fails with its words unless it exits with one of `codes`, 0 where none is given. */
  readonly ok: (args: readonly string[], ...codes: readonly number[]) => Promise<string>;
  /** Believes records that are signed by these keys alone. */
  readonly sign: (signers: readonly string[]) => Promise<void>;
  /** Takes a repository away, as a disk that is carried off or a region that is gone, or brings it back. */
  readonly carry: (repository: string, to: 'away' | 'back') => Promise<void>;
}

export interface Aside {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

/** `database` is that which the address of the policy names. */
export async function stageOf(example: string, standIns: StandIns, database: string): Promise<Stage> {
  process.env['TZ'] = 'UTC'; // days of keep rules begin where the policies have them begin
  await using stack = new AsyncDisposableStack();
  const clock = new MovableClock();
  const dir = stack.use(await tempDir());
  await chmod(dir.path, 0o755); // a server's own user has to get at what it hands over, and at what is restored
  const postgres = stack.use(await startPostgres(await handingOver(dir)));
  const redis = stack.use(await startRedis());
  const sshd = exampleText(example).includes('url: sftp:') ? stack.use(await startSshd()) : undefined;
  const places = new Places(dir, stack.use(await glacier({ clock, thawMs: 0 })), sshd);
  const live = (path: string): string => dir.file('live', path);
  const file = dir.file('holdfast.yaml');
  const text = adaptedExample(example, {
    address: (name, url) => places.address(name, url),
    path: live,
    command: (line) => commandHere(line, { postgres, redis, standIns, live }),
  });
  await writeFile(file, text);
  const policy = policyIn(text);
  const env = await secretsIn(dir, live, postgres.url(database));
  await createRepositories(policy, env, places.options);
  const own = ownOptions(dir, places.options);
  const owned = stack.move();
  return {
    ...{ dir, policy, postgres, redis, live, clock },
    aside: { cwd: dir.path, env, args: own },
    ok: async (args, ...codes) => outputOf(await runAt({ dir, clock, env, own }, args), args, codes),
    sign: async (signers) => await appendFile(file, `signers: ${JSON.stringify(signers)}\n`),
    carry: async (repository, to) => await places.carry(repository, to),
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  };
}

interface Way {
  readonly dir: TempDir;
  readonly clock: MovableClock;
  readonly env: Readonly<Record<string, string>>;
  readonly own: readonly string[];
}

async function runAt({ dir, clock, env, own }: Way, args: readonly string[]): Promise<RunResult> {
  const aheadMs = Number((clock.nowNs() - systemClock.nowNs()) / 1_000_000n);
  return await served({ args: [...own, ...args], env, cwd: dir.path, aheadMs });
}

function ownOptions(dir: TempDir, options: ReadonlyMap<string, string>): readonly string[] {
  const more = [...options].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return ['--cache-dir', dir.file('cache'), '--state-dir', dir.file('state'), ...more];
}

/** A server whose log may be handed over, by a command that finds the keys of its places. */
async function handingOver(dir: TempDir): Promise<PostgresOptions> {
  await mkdir(dir.file('restored'));
  await mkdir(dir.file('server'));
  await giveToServer(dir.file('server'));
  return {
    settings: ['archive_mode=on'],
    env: { HOME: dir.file('server'), AWS_SHARED_CREDENTIALS_FILE: dir.file('aws') },
  };
}

function outputOf({ code, stdout, stderr }: RunResult, args: readonly string[], codes: readonly number[]): string {
  if ((codes.length === 0 ? [0] : codes).includes(code ?? -1)) return stdout.toString();
  throw new Error(`holdfast ${args.join(' ')} ended with ${code}\n${stderr}\n${stdout.toString()}`);
}

function policyIn(text: string): Policy {
  const { policy, problems } = loadPolicy(text);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (policy === undefined) throw new Error(`the adapted example is no policy: ${JSON.stringify(errors)}`);
  return policy;
}
