import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { displayPath, type RawPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { syncFileSystem } from '../host/sync.ts';
import type { RestoreOutcome, Select } from '../snapshot/restore.ts';
import type { JobContext } from './job.ts';
import { restoreInSteps, restoreToFolder, type RestoreToFolderOptions } from './restore.ts';

export interface InOrder {
  /** Below the target: what nothing starts without. */
  readonly last: RawPath;
  /** Done between, once all else is there. */
  readonly ready: () => Promise<void>;
}

/**
 * Restores to a folder, and one file of it last of all, once the rest is there, ready and lasting: what a kill or a
 * failure left incomplete lacks it. One that stood there is removed first.
 */
export async function restoreInOrder(
  context: JobContext,
  options: RestoreToFolderOptions,
  { last, ready }: InOrder,
): Promise<RestoreOutcome> {
  const { restore, target } = options;
  if (restore.mode === 'dry-run') return await restoreToFolder(context, options);
  await removeLast(displayPath(target), displayPath(last));
  const location = `/${displayPath(last)}`;
  return await restoreInSteps(context, { ...options, writeBack: 'at once' }, async (restoreNow) => {
    const most = await restoreNow({ ...restore, select: without(restore.select, location) });
    if (most.failures > 0) return most;
    await ready();
    await syncFileSystem(displayPath(target), context.signal);
    const rest = await restoreNow({ ...restore, extras: 'keep', select: only(restore.select, location) });
    await assertFile(join(displayPath(target), displayPath(last)));
    return sumOf(most, rest);
  });
}

/** Not where a link leads elsewhere: that isn't what is restored. */
async function removeLast(target: string, last: string): Promise<void> {
  const path = join(target, last);
  if (!existsSync(path)) return;
  if (realpathSync(dirname(path)) === join(realpathSync(target), dirname(last))) await rm(path);
}

/** A link would have whoever is started write into something else. */
async function assertFile(path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isFile()) return;
  await rm(path, { recursive: true });
  throw new HoldfastError('damaged', `${path} is no file in this backup: it was removed, and nothing starts there`);
}

function without(select: Select, last: string): Select {
  return (location, type) => {
    const { selected, childrenMayBe } = select(location, type);
    return { selected: selected && displayPath(location) !== last, childrenMayBe };
  };
}

function only(select: Select, last: string): Select {
  return (location, type) => {
    const here = displayPath(location);
    const { selected, childrenMayBe } = select(location, type);
    return { selected: selected && here === last, childrenMayBe: childrenMayBe && last.startsWith(`${here}/`) };
  };
}

export function sumOf(a: RestoreOutcome, b: RestoreOutcome): RestoreOutcome {
  const lost = new Map(a.notPreserved);
  for (const [what, count] of b.notPreserved) lost.set(what, (lost.get(what) ?? 0) + count);
  const verifiedFiles = (a.verifiedFiles ?? 0) + (b.verifiedFiles ?? 0);
  return {
    totalItems: a.totalItems + b.totalItems,
    restoredItems: a.restoredItems + b.restoredItems,
    skippedItems: a.skippedItems + b.skippedItems,
    deletedItems: a.deletedItems + b.deletedItems,
    totalBytes: a.totalBytes + b.totalBytes,
    restoredBytes: a.restoredBytes + b.restoredBytes,
    skippedBytes: a.skippedBytes + b.skippedBytes,
    failures: a.failures + b.failures,
    notPreserved: lost,
    ...(a.verifiedFiles === undefined ? {} : { verifiedFiles }),
  };
}
