import { cp } from 'node:fs/promises';
import { systemClock } from '../../src/clock/clock.ts';
import { createRepository } from '../../src/repository/create.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { StorageSettings } from '../../src/storage/settings.ts';
import { runRestic } from '../servers/restic.ts';
import { cheapKey } from './engine.ts';
import { runHoldfast, servedHoldfast, type RepositoryAt } from './holdfast.ts';
import type { RunOptions, RunResult } from './run-program.ts';

export type Tool = 'holdfast' | 'restic';

/** Something of each tool. */
export type OfBoth<T> = Readonly<Record<Tool, T>>;

/** The same for both tools, done side by side. */
export async function both<T>(make: (tool: Tool) => Promise<T>): Promise<OfBoth<T>> {
  const [holdfast, restic] = await Promise.all([make('holdfast'), make('restic')]);
  return { holdfast, restic };
}

/** An empty repository whose key costs next to nothing to derive, so that starts of programs are cheap. */
export async function cheapRepository(
  path: string,
  version: 1 | 2 = 2,
  password = cheapKey.password,
): Promise<RepositoryAt> {
  await madeCheap(path, { version, password });
  return { repository: path, password };
}

/** The same wherever an address leads, with what its storage needs. */
export async function cheapRepositoryAt(
  repository: string,
  settings: StorageSettings,
  password = cheapKey.password,
): Promise<RepositoryAt> {
  await madeCheap(repository, { version: 2, password }, settings);
  return { repository, password };
}

/** Several of the kind that cut files alike, as `init` makes those of a policy. */
export async function cheapRepositories(paths: readonly string[], password = cheapKey.password): Promise<void> {
  let cut: string | undefined;
  for (const path of paths)
    cut = await madeCheap(path, { version: 2, password, ...(cut && { chunkerPolynomial: cut }) });
}

interface Cheap {
  readonly version: 1 | 2;
  readonly password: string;
  readonly chunkerPolynomial?: string;
}

/** Resolves with how it cuts files. */
async function madeCheap(
  address: string,
  { password, ...options }: Cheap,
  settings: StorageSettings = {},
): Promise<string> {
  const storage = await openStorage(address, { ...settings, create: true });
  const key = { ...cheapKey, password };
  await using made = await createRepository({ storage, clock: systemClock, key, ...options });
  return made.config.chunkerPolynomial;
}

/** A copy of a repository for each tool, at `<path>-holdfast` and `<path>-restic`. */
export async function copiesOf(template: RepositoryAt, path: string): Promise<OfBoth<RepositoryAt>> {
  return await both(async (tool) => {
    const repository = `${path}-${tool}`;
    await cp(template.repository, repository, { recursive: true });
    return { ...template, repository };
  });
}

/** Runs either tool, without a cache; an exit code is a result. */
export async function run(
  tool: Tool,
  at: RepositoryAt,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  if (tool === 'restic') return await runRestic('0.19.1', at, args, options);
  const { cwd, env = {}, ...others } = options;
  // A process that serves commands has one time zone, its own.
  if (Object.keys(others).length > 0 || env['TZ'] !== undefined) return await runHoldfast(at, args, options);
  return await servedHoldfast(at, args, { env, ...(cwd !== undefined && { cwd }) });
}

/** As `run`, and fails with the program's words unless it exits with this code. */
export async function expectExit(
  code: number,
  tool: Tool,
  at: RepositoryAt,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const result = await run(tool, at, args, options);
  if (result.code === code) return result;
  const ended = `${tool} ${args.join(' ')} ended with ${result.code ?? result.signal}, not ${code}`;
  throw new Error(`${ended}\n${result.stderr}\n${result.stdout.toString()}`);
}
