import { existsSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { stateFolder } from '../../scripts/tree.ts';
import { hasErrno } from '../support/errno.ts';
import { systemClock } from '../../src/clock/clock.ts';

/** Where built programs are kept: .cache/ of the checkout, or what HOLDFAST_CACHE names (to share between checkouts). */
const cacheFolder = process.env['HOLDFAST_CACHE'] ?? stateFolder;
const longestBuildMs = 12 * 60_000;

/**
 * The cached folder `key`. Where it is missing, `build` fills an empty folder, which then gets its name in one
 * step; test files that ask at once wait for one build. `key` names a version, so that nothing cached goes stale.
 */
export async function cached(key: string, build: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder, key);
  if (await exists(folder)) return folder;
  await mkdir(cacheFolder, { recursive: true });
  using _lock = await lock(join(cacheFolder, `${key}.lock`));
  if (await exists(folder)) return folder;
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  await build(unfinished);
  await rename(unfinished, folder);
  return folder;
}

/** Whether it needs no build. */
export function isCached(key: string): boolean {
  return existsSync(join(cacheFolder, key));
}

/** A lock between processes that ends with its process, however that ends: an open transaction of SQLite. */
async function lock(path: string): Promise<Disposable> {
  const database = new DatabaseSync(path);
  const giveUpAt = systemClock.monotonicMs() + longestBuildMs;
  while (!took(database)) {
    if (systemClock.monotonicMs() > giveUpAt) throw new Error(`${path} is still locked after 12 minutes`);
    await systemClock.sleep(100);
  }
  return { [Symbol.dispose]: () => database.close() };
}

const sqliteBusy = 5;

function took(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return false;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
