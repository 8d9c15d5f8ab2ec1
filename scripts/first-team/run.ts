import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../tree.ts';

export interface Ran {
  readonly code: number | null;
  readonly milliseconds: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Verified {
  readonly component: string;
  readonly repository: string;
  readonly state: 'verified' | 'failed' | 'could not verify';
  readonly reason?: string;
  readonly checks: readonly { readonly name: string; readonly state: string; readonly found: string }[];
  readonly stages: Readonly<Record<string, number>>;
}

/** Runs the real program in a team's folder, where its policy, its caches and its state are. */
export function inFolder(folder: string): (...args: readonly string[]) => Ran {
  return (...args) => {
    const places = { HOLDFAST_STATE_DIR: join(folder, 'state'), RESTIC_CACHE_DIR: join(folder, 'cache') };
    const without = { HOLDFAST_CONFIG: undefined, RESTIC_REPOSITORY: undefined, RESTIC_PASSWORD: undefined };
    const env = { ...process.env, ...without, ...places };
    const start = performance.now();
    const { status, stdout, stderr } = spawnSync(join(root, 'bin/holdfast'), args, {
      cwd: folder,
      env,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    return { code: status, stdout, stderr, milliseconds: performance.now() - start };
  };
}

/** The outcomes of `verify --json`, copy by copy. */
export function verifiedBy({ stdout }: Ran): readonly Verified[] {
  return stdout.split('\n').flatMap((line) => {
    const record = (line === '' ? {} : JSON.parse(line)) as Verified & { readonly message_type?: string };
    return record.message_type === 'verification' ? [record] : [];
  });
}
