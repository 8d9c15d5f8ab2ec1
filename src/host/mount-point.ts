import { existsSync, lstatSync, readFileSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from './system-error.ts';

/** Whether something is mounted at this very path: another file system, or a part of the same one (a bind mount). */
export function isMountPoint(path: string): boolean {
  const own = lstatSync(path, { throwIfNoEntry: false });
  if (own === undefined || !own.isDirectory()) return false;
  if (path === '/' || own.dev !== lstatSync(dirname(path)).dev) return true;
  return mountPoints().includes(realpathSync(path));
}

/** Where the file system is mounted that a folder is on; undefined where the folder isn't there. */
export function mountPointOf(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  for (let at = realpathSync(folder); ; at = dirname(at)) if (isMountPoint(at)) return at;
}

/** What is mounted somewhere below a folder. */
export function mountPointsBelow(path: string): readonly string[] {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return [];
  const real = realpathSync(path);
  return mountPoints().filter((point) => point.startsWith(real === '/' ? real : `${real}/`));
}

/** None where the system doesn't tell. */
function mountPoints(): readonly string[] {
  try {
    const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return lines.map((line) => (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, octal));
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [];
  }
}

function octal(_whole: string, digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 8));
}
