import type { BigIntStats, Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSegment } from '../keys.ts';
import { errnoOf } from './errors.ts';

/** A file found below a folder. `path` is relative to where the walk began, '/'-separated. */
export interface Found {
  readonly path: string;
  readonly stats: BigIntStats;
}

/** Starts every name that is in the making; '~' can't be in a key. */
export const temporaryPrefix = '~holdfast-';

const statsAtOnce = 64;

/** Every file below `folder` whose path is a key, links followed. What vanishes meanwhile is left out. */
export function walkObjects(folder: string): AsyncGenerator<Found, void> {
  return walk(folder, '', isSegment);
}

/** Every file in the making, or left so by a crash, below `folder`. */
export function walkTemporaries(folder: string): AsyncGenerator<Found, void> {
  return walk(folder, '', (name) => name.startsWith(temporaryPrefix));
}

async function* walk(folder: string, path: string, wanted: (name: string) => boolean): AsyncGenerator<Found, void> {
  const entries = (await unlessGone(readdir(folder, { withFileTypes: true }))) ?? [];
  const names = entries.filter((entry) => !entry.isDirectory() && wanted(entry.name)).map((entry) => entry.name);
  const links: string[] = [];
  for (let first = 0; first < names.length; first += statsAtOnce) {
    const batch = names.slice(first, first + statsAtOnce);
    const all = await Promise.all(batch.map((name) => unlessGone(stat(join(folder, name), { bigint: true }))));
    for (const [index, stats] of all.entries()) {
      const name = batch[index] ?? '';
      if (stats?.isFile()) yield { path: path + name, stats };
      else if (stats?.isDirectory()) links.push(name);
    }
  }
  for (const name of [...subfolders(entries), ...links]) yield* walk(join(folder, name), `${path}${name}/`, wanted);
}

function subfolders(entries: readonly Dirent[]): readonly string[] {
  return entries.filter((entry) => entry.isDirectory() && isSegment(entry.name)).map((entry) => entry.name);
}

async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
