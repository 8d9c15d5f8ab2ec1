import { readdirSync, lstatSync } from 'node:fs';
import { displayPath, rawPath, systemPath, type RawPath } from '../../bytes/ids.ts';
import { joinPath } from '../../bytes/unix-path.ts';
import { HoldfastError } from '../../errors/error.ts';
import { errorCode } from '../../host/system-error.ts';
import type { WalkOptions } from '../source.ts';

/**
 * The paths without those that had files in the backup before, and have none now: an unmounted disk looks like this.
 * Each is told as a warning and left out; 'source-failed' where none is left. What can't be read is the walk's business.
 */
export async function notEmptied(
  paths: readonly RawPath[],
  { listener, heldBefore }: WalkOptions,
): Promise<readonly RawPath[]> {
  const emptied: RawPath[] = [];
  for (const path of paths) if (isWithoutFiles(path) && (await heldBefore?.(path)) === 'files') emptied.push(path);
  for (const path of emptied)
    listener({ kind: 'warning', during: 'scan', item: displayPath(path), message: `left out: ${reason}` });
  if (emptied.length === 0) return paths;
  if (emptied.length < paths.length) return paths.filter((path) => !emptied.includes(path));
  const names = emptied.map(displayPath).join(', ');
  throw new HoldfastError('source-failed', `${names}: ${reason}`, {
    next: 'Mount what is missing. If it is meant to be empty, say `allow-empty: true` in its `files:`. No snapshot was written; earlier ones are unharmed.',
  });
}

const reason = 'no file is there, and the last backup had some';

/** A folder that holds nothing but folders. */
function isWithoutFiles(path: RawPath): boolean {
  try {
    return lstatSync(systemPath(path)).isDirectory() && !holdsFiles(path);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}

function holdsFiles(folder: RawPath): boolean {
  const children = readdirSync(systemPath(folder), { withFileTypes: true, encoding: 'buffer' });
  return (
    children.some((child) => !child.isDirectory()) ||
    children.some((child) => holdsFiles(joinPath(folder, rawPath(child.name))))
  );
}
