import assert from 'node:assert/strict';
import { rustic } from '../servers/rustic.ts';
import type { Program } from './beside.ts';
import type { RepositoryAt } from './holdfast.ts';
import { runProgram } from './run-program.ts';

/** rustic, as what backs up a stream. */
export async function rusticProgram(): Promise<Program> {
  return {
    path: await rustic(),
    args: (name) => ['--no-progress', 'backup', '-', '--stdin-filename', name, '--tag', name],
    env,
  };
}

function env({ repository, password }: RepositoryAt): Readonly<Record<string, string>> {
  const quiet = { RUSTIC_NO_CACHE: 'true', RUSTIC_LOG_LEVEL: 'error', HOME: repository };
  return { ...quiet, RUSTIC_REPOSITORY: repository, RUSTIC_PASSWORD: password };
}

/** It tells what it does on standard error. */
export async function rusticSays(at: RepositoryAt, args: readonly string[]): Promise<string> {
  const options = { env: { ...env(at), RUSTIC_LOG_LEVEL: 'info' } };
  const { code, stderr } = await runProgram(await rustic(), ['--no-progress', ...args], options);
  assert.equal(code, 0, stderr);
  return stderr;
}
