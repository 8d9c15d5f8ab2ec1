import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter } from 'node:path';
import type { TempDir } from './temp-dir.ts';

/** A `sync` that notes in `dir.file('synced')` what it is asked for, and what a file holds then. */
export async function notingSync(dir: TempDir, file: string): Promise<Disposable> {
  const { PATH: before = '' } = process.env;
  await mkdir(dir.file('bin'));
  await writeFile(dir.file('bin/sync'), `#!/bin/sh\necho "$* $(cat '${file}')" >>'${dir.file('synced')}'\n`);
  await chmod(dir.file('bin/sync'), 0o755);
  process.env['PATH'] = `${dir.file('bin')}${delimiter}${before}`;
  return { [Symbol.dispose]: () => void (process.env['PATH'] = before) };
}
