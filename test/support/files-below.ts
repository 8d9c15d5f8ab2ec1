import { readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from './errno.ts';

/** The paths of all files below a folder in which others create and remove at the same time: what goes meanwhile may be missing. */
export function filesBelow(folder: string): readonly string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
