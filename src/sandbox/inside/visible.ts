import { realpath } from 'node:fs/promises';
import { HoldfastError } from '../../errors/error.ts';
import { errorCode } from '../../host/system-error.ts';

/** What the prologue covers, whatever a caller hides. */
const emptied = ['/run', '/var/run', '/tmp', '/var/tmp', '/dev', '/dev/shm'];
/** Of devices a sandbox has its own. */
const [devices, sharedMemory] = ['/dev', '/dev/shm'] as const;

/**
 * For the prologue: `+` and where a path really is, which is looked up before anything is covered, or `=` where it is seen
 * within another already, then `@` and its name where that leads over links. The outer come first. A path that isn't there
 * is left out: whoever wants to run it will say so.
 */
export async function shownPaths(visible: readonly string[]): Promise<readonly string[]> {
  const covers = (await Promise.all(emptied.map(realOf))).filter((path) => path !== undefined);
  const links = new Map<string, Set<string>>();
  for (const path of visible) {
    const real = await realOf(path);
    if (real === undefined) continue;
    const covered = covers.find((cover) => isWithin(cover, real));
    if (covered !== undefined) throw tooWide(path, covered);
    if (isWithin(real, devices) && !isWithin(real, sharedMemory)) throw ofDevices(path);
    const names = links.getOrInsertComputed(real, () => new Set());
    if (path !== real) names.add(path);
  }
  const paths = [...links.keys()];
  const isSeen = (real: string): boolean => paths.some((other) => other !== real && isWithin(real, other));
  return [...links]
    .toSorted(([one], [other]) => one.length - other.length)
    .flatMap(([real, names]) => [`${isSeen(real) ? '=' : '+'}${real}`, ...[...names].map((name) => `@${name}`)]);
}

function isWithin(path: string, folder: string): boolean {
  return `${path}/`.startsWith(folder === '/' ? '/' : `${folder}/`);
}

/** Without links; undefined where nothing is there, or this user may not look. */
export async function realOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

function tooWide(path: string, covered: string): HoldfastError {
  return new HoldfastError('refused', `${path} can’t be shown in a sandbox, where ${covered} is empty`, {
    next: 'Put what is to be run there into a folder of its own.',
  });
}

function ofDevices(path: string): HoldfastError {
  return new HoldfastError('refused', `${path} can’t be shown in a sandbox, which has devices of its own`, {
    next: 'Name folders and programs alone.',
  });
}
