import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { displayPath, type RawPath } from '../../bytes/ids.ts';
import { HoldfastError, hasCode } from '../../errors/error.ts';
import { errorCode } from '../../host/system-error.ts';

/** What is wrong is wrong with what is restored to: from another copy it would fail as well. */
export class TargetFailed extends HoldfastError {}

/** What a restore writes to is full: each further file would fail as this one did. */
export class DiskFull extends TargetFailed {
  constructor(folder: string, cause: unknown) {
    super('storage-full', `the disk of ${folder} is full`, {
      cause,
      next: 'What is restored by now stays there, and is not all. Free some space, or enlarge that disk, and run the same command again: what is there already is not written again.',
    });
  }
}

/** More than any blob: what fails for want of less, on a disk that has this, fails by itself. */
const roomBytes = 16 * 2 ** 20;

/**
 * The folder whose disk is full, where an error says so. Some file systems say the same of attributes that are too large for them
 * alone, so that the disk is asked; a quota is not to be seen there.
 */
export function fullFolder(target: RawPath, location: RawPath, error: unknown): string | undefined {
  const code = errorCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && !hasCode(error, 'storage-full')) return undefined;
  const folder = dirname(`${displayPath(target)}${displayPath(location)}`);
  return code === 'EDQUOT' || isFull(folder) || isFull(displayPath(target)) ? folder : undefined;
}

function isFull(folder: string): boolean {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(folder);
    return bavail * bsize < roomBytes || (files > 0 && ffree === 0);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}
