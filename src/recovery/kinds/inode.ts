import { lstatSync, type PathLike } from 'node:fs';

/**
 * By which things of one file system are told apart, whatever they are called; undefined where nothing is. The number of
 * the device is no part of it: it may be another after a reboot, and what was kept would then be taken for what came.
 */
export function inodeAt(path: PathLike): string | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino.toString();
}

/** As it was written down; earlier versions put the device before it. */
export function inodeIn(text: string): string {
  return text.slice(text.indexOf(':') + 1);
}
