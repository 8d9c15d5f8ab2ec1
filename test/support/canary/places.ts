import { readFile } from 'node:fs/promises';
import { systemClock } from '../../../src/clock/clock.ts';
import { listSnapshots } from '../../../src/snapshot/snapshots.ts';
import { openRepository } from '../../../src/repository/open.ts';
import { listOwnObjects, ownFolder, readOwnObject } from '../../../src/repository/own-object.ts';
import { openLocal } from '../../../src/storage/local.ts';
import { filesBelow } from '../files-below.ts';
import type { Search } from './canaries.ts';

/** Findings in the bytes and names of all files below a folder, but for those that are meant to hold secrets. */
export async function storedBelow(
  folder: string,
  meant: readonly string[],
  search: Search,
): Promise<readonly string[]> {
  const paths = filesBelow(folder).filter((path) => !meant.some((one) => path.startsWith(one)));
  const found = await Promise.all(
    paths.map(async (path) => [...search.in('a name', path), ...search.in(path, await readFile(path))]),
  );
  return found.flat();
}

/** Findings in what a repository holds sealed: everything of Holdfast's own, and its snapshots. */
export async function plaintextsBelow(folder: string, password: string, search: Search): Promise<readonly string[]> {
  const storage = await openLocal(folder, {});
  await using repository = await openRepository({ storage, clock: systemClock, password });
  const found: string[] = [];
  for (const { key } of await listOwnObjects(repository, ownFolder))
    found.push(...search.in(`the plaintext of ${key}`, await readOwnObject(repository, key)));
  for (const snapshot of await listSnapshots(repository))
    found.push(
      ...search.in(
        'a snapshot',
        JSON.stringify(snapshot, (_, value: unknown) => String(value)),
      ),
    );
  return found;
}
