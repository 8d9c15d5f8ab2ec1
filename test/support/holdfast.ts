import { join } from 'node:path';
import { runProgram, type RunOptions, type RunResult } from './run-program.ts';

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
  const cache = args.includes('--cache-dir') ? [] : ['--no-cache'];
  return await runProgram(holdfastProgram, [...cache, ...args], { ...options, env });
}

/** As runHoldfast, and fails with the program's words unless it exits with 0. Resolves to its output. */
export async function holdfastOk(at: RepositoryAt, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, signal, stdout, stderr } = await runHoldfast(at, args, options);
  if (code === 0) return stdout.toString();
  throw new Error(`holdfast ${args.join(' ')} ended with ${code ?? signal}\n${stderr}\n${stdout.toString()}`);
}
