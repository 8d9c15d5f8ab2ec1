import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { systemClock } from '../../src/clock/clock.ts';
import { createRepository } from '../../src/repository/create.ts';
import { openStorage } from '../../src/storage/open.ts';
import { cheapKey } from './engine.ts';
import { runHoldfast, servedHoldfast, servedOk, type RepositoryAt } from './holdfast.ts';
import type { RunOptions, RunResult } from './run-program.ts';
import { tempDir, type TempDir } from './temp-dir.ts';

/** A repository in a folder, whose key costs nothing to open, and a small folder to back up. */
export interface Scene extends AsyncDisposable {
  readonly at: RepositoryAt;
  readonly dir: TempDir;
  /** The folder: `a.txt`, `b.log`, `sub/c.txt`, `link` to a.txt, `same` (a hard link to a.txt). */
  readonly source: string;
  /** Runs a command on it (test/support/served.ts), and fails unless it exits with 0. Resolves to its output. */
  readonly ok: (...args: readonly string[]) => Promise<string>;
  /** An exit code is a result. With options it is the real program that runs. */
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /** As `ok`, and reads the output's lines as JSON records. */
  readonly records: (...args: readonly string[]) => Promise<readonly JsonRecord[]>;
  /** The ID of the snapshot that a backup with these arguments writes. */
  readonly backup: (...args: readonly string[]) => Promise<string>;
  /** The paths of a snapshot's items below the source. */
  readonly listed: (snapshot: string) => Promise<readonly string[]>;
}

export type JsonRecord = Readonly<Record<string, unknown>>;

export async function scene(): Promise<Scene> {
  const dir = await tempDir();
  const source = dir.file('source');
  const at = { repository: dir.file('repository'), password: cheapKey.password };
  makeSource(source);
  const storage = await openStorage(at.repository, { create: true });
  await using _created = await createRepository({ storage, clock: systemClock, key: cheapKey, version: 2 });
  const run = async (args: readonly string[], options?: RunOptions): Promise<RunResult> =>
    options === undefined ? await servedHoldfast(at, args) : await runHoldfast(at, args, options);
  const ok = async (...args: readonly string[]): Promise<string> => await servedOk(at, args);
  const records = async (...args: readonly string[]): Promise<readonly JsonRecord[]> =>
    jsonLines(await ok('--json', ...args));
  return {
    at,
    dir,
    source,
    ok,
    run,
    records,
    backup: async (...args) => {
      const summary = (await records('backup', ...args)).findLast((one) => one['message_type'] === 'summary');
      return String(summary?.['snapshot_id']);
    },
    listed: async (snapshot) => {
      const nodes = (await records('ls', snapshot)).filter((one) => one['message_type'] === 'node');
      const paths = nodes.map((node) => String(node['path']));
      return paths.filter((path) => path.startsWith(`${source}/`)).map((path) => path.slice(source.length + 1));
    },
    [Symbol.asyncDispose]: async () => await dir[Symbol.asyncDispose](),
  };
}

function makeSource(source: string): void {
  mkdirSync(`${source}/sub`, { recursive: true });
  writeFileSync(`${source}/a.txt`, 'first\n');
  writeFileSync(`${source}/b.log`, 'log '.repeat(500));
  writeFileSync(`${source}/sub/c.txt`, 'deep\n');
  chmodSync(`${source}/sub/c.txt`, 0o640);
  symlinkSync('a.txt', `${source}/link`);
  linkSync(`${source}/a.txt`, `${source}/same`);
}

/** A document, or a line for each record. */
export function jsonLines(text: string): readonly JsonRecord[] {
  const values: readonly unknown[] = text
    .split('\n')
    .filter((line) => line.startsWith('{') || line.startsWith('['))
    .map((line): unknown => JSON.parse(line));
  return values.flat().filter((value): value is JsonRecord => typeof value === 'object' && value !== null);
}
