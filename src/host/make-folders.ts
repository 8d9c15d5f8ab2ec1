import { mkdirSync, statSync } from 'node:fs';
import { systemPath, type RawPath } from '../bytes/ids.ts';
import { cleanPath, parentPath } from '../bytes/unix-path.ts';
import { errorCode } from './system-error.ts';

/**
 * Makes a folder, and its parents, where they aren't there. Not Node's `recursive`: that never returns where the system
 * says ENOENT inside a folder that is there, as in /proc.
 */
export function makeFolders(path: RawPath, mode: number): void {
  try {
    mkdirSync(systemPath(path), mode);
  } catch (error) {
    if (isFolder(path)) return;
    const parent = parentPath(cleanPath(path));
    if (errorCode(error) !== 'ENOENT' || parent === path || isFolder(parent)) throw error;
    makeFolders(parent, mode);
    mkdirSync(systemPath(path), mode);
  }
}

function isFolder(path: RawPath): boolean {
  return statSync(systemPath(path), { throwIfNoEntry: false })?.isDirectory() ?? false;
}
