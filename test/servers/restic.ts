import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { absent } from '../absences.ts';
import { runOk, runProgram, type RunOptions, type RunResult } from '../support/run-program.ts';
import { debianPackages } from './debian.ts';
import { goProgram, withoutGo } from './go-program.ts';

/** The versions that Holdfast is held against: Debian 12's, and the newest. */
export type ResticVersion = '0.14' | '0.19.1';

/**
 * Why a test with this restic can't run here, or false: `test(name, { skip: withoutRestic('0.19.1') }, …)`. A
 * build that fails is no absence: then the test fails.
 */
export function withoutRestic(version: ResticVersion): string | false {
  if (version === '0.19.1') return withoutGo();
  return starts('restic', 'version') || starts('apt-get', '--version') ? false : absent('restic-0.14');
}

/** The path of the real program, built or fetched by its first user. */
export async function restic(version: ResticVersion): Promise<string> {
  return version === '0.19.1' ? await builtByGo() : await fromDebian();
}

export interface ResticRepository {
  readonly repository: string;
  readonly password: string;
}

/** Runs restic on a repository, without its cache; an exit code is a result. */
export async function runRestic(
  version: ResticVersion,
  { repository, password }: ResticRepository,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const env = { ...options.env, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password };
  return await runProgram(await restic(version), ['--no-cache', ...args], { ...options, env });
}

/** As runRestic, and fails with restic's words unless it exits with 0. Resolves to its output. */
export async function resticOk(
  version: ResticVersion,
  at: ResticRepository,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, signal, stdout, stderr } = await runRestic(version, at, args, options);
  if (code === 0) return stdout.toString();
  throw new Error(`restic ${version} ${args.join(' ')} ended with ${code ?? signal}\n${stderr}\n${stdout.toString()}`);
}

async function builtByGo(): Promise<string> {
  return await goProgram({
    folder: 'restic-0.19.1',
    package: 'github.com/restic/restic/cmd/restic',
    name: 'restic',
    version: ['version'],
  });
}

async function fromDebian(): Promise<string> {
  if (await isDebians('restic')) return 'restic';
  const folder = await debianPackages('restic-0.14', ['restic']);
  if (!(await isDebians(join(folder, 'usr/bin/restic')))) throw new Error('this Debian has another restic than 0.14');
  return join(folder, 'usr/bin/restic');
}

async function isDebians(program: string): Promise<boolean> {
  if (!starts(program, 'version')) return false;
  return (await runOk(program, ['version'])).toString().startsWith('restic 0.14.');
}

function starts(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}
