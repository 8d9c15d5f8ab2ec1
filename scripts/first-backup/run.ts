import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../tree.ts';

export interface Ran {
  readonly milliseconds: number;
  /** Of a backup. */
  readonly snapshot: string;
}

interface At {
  readonly repository: string;
  readonly password: string;
  readonly cache: string;
}

/** Runs the real program; stops the whole demonstration when it fails. */
export function holdfast({ repository, password, cache }: At, ...args: readonly string[]): Ran {
  const env = { ...process.env, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password, RESTIC_CACHE_DIR: cache };
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(join(root, 'bin/holdfast'), ['--json', ...args], {
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const milliseconds = performance.now() - start;
  if (status !== 0) throw new Error(`holdfast ${args.join(' ')} ended with ${status}\n${stderr}${stdout}`);
  const [, snapshot = ''] = /"snapshot_id":"([0-9a-f]{64})"/.exec(stdout) ?? [];
  return { milliseconds, snapshot };
}

/** What all files of the repository take. */
export function repositoryBytes(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, file) => sum + lstatSync(join(file.parentPath, file.name)).size, 0);
}
