import { join } from 'node:path';
import { runProgram, type RunOptions, type RunResult } from './run-program.ts';
import { served } from './served.ts';

/** The real program of this checkout. */
export const holdfastProgram = join(import.meta.dirname, '../../bin/holdfast');

export interface RepositoryAt {
  readonly repository: string;
  readonly password: string;
}

/** Runs Holdfast on a repository, without its cache unless `args` name one; an exit code is a result. */
export async function runHoldfast(
  { repository, password }: RepositoryAt,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const env = { ...options.env, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password };
  return await runProgram(holdfastProgram, [...withoutCache(args), ...args], { ...options, env });
}

/** As runHoldfast, and fails with the program's words unless it exits with 0. Resolves to its output. */
export async function holdfastOk(at: RepositoryAt, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return outputOf(args, await runHoldfast(at, args, options));
}

/** The output of a run that ended with 0; throws with the program's words otherwise. */
export function outputOf(args: readonly string[], { code, signal, stdout, stderr }: RunResult): string {
  if (code === 0) return stdout.toString();
  throw new Error(`holdfast ${args.join(' ')} ended with ${code ?? signal}\n${stderr}\n${stdout.toString()}`);
}

/** As runHoldfast, by a process that runs one command after another: for tests of what commands do, not of the program. */
export async function servedHoldfast(
  { repository, password }: RepositoryAt,
  args: readonly string[],
  { cwd = process.cwd(), env: given = {} }: Pick<RunOptions, 'cwd' | 'env'> = {},
): Promise<RunResult> {
  const env = definedOf({ ...process.env, ...given, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password });
  return await served({ args: [...withoutCache(args), ...args], env, cwd });
}

/** As servedHoldfast, and fails with the program's words unless it exits with 0. Resolves to its output. */
export async function servedOk(
  at: RepositoryAt,
  args: readonly string[],
  options: Pick<RunOptions, 'cwd' | 'env'> = {},
): Promise<string> {
  return outputOf(args, await servedHoldfast(at, args, options));
}

function withoutCache(args: readonly string[]): readonly string[] {
  return args.includes('--cache-dir') ? [] : ['--no-cache'];
}

/** An environment without the names that are undefined in it. */
export function definedOf(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
