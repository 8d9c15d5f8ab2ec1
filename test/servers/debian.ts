import { spawnSync } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runOk, runProgram } from '../support/run-program.ts';
import { cached } from './cache.ts';

/** Whether packages of Debian can be had here. */
export function hasDebian(): boolean {
  return spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** The folder that holds what these packages would install, without installing them. */
export async function debianPackages(key: string, names: readonly string[]): Promise<string> {
  return await cached(key, async (target) => {
    await download(target, names);
    for (const archive of (await readdir(target)).filter((name) => name.endsWith('.deb'))) {
      await runOk('dpkg', ['-x', join(target, archive), target]);
      await rm(join(target, archive));
    }
  });
}

/** The package lists are fetched where there are none yet. */
async function download(folder: string, names: readonly string[]): Promise<void> {
  const options = { cwd: folder, timeoutMs: 5 * 60_000 };
  const { code } = await runProgram('apt-get', ['download', ...names], options);
  if (code === 0) return;
  await runOk('apt-get', ['update'], options);
  await runOk('apt-get', ['download', ...names], options);
}
