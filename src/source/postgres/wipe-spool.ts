import { join } from 'node:path';
import { displayPath, rawPathOf, rawPathOfByteString, type RawPath } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import { Directory } from '../../host/directory.ts';
import { lockFile } from '../../host/file-lock.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import { isNoteOfLog } from './archive/notes.ts';

/** What became of a spool. */
export interface WipedSpool {
  readonly removed: number;
  /** Paths within it that were left: links, what is another user’s, what is neither file nor folder. */
  readonly left: readonly string[];
}

/** Deeper than any spool is. */
const mostLevels = 4;

/**
 * Removes what the spool of a component holds: its markers say of segments that they are stored, and its prefetched
 * segments what the log holds, and a note where another's log stands, which another data directory must not believe: it may be its
 * own. What is still to be said or filled in a place
 * stays: it is of the log, whoever writes it. Only files of our own in folders of our own go; no link is followed, nor
 * removed. 'locked' while a worker is at work there: it would go on to write markers.
 */
export function wipeSpool(stateDir: string, component: string): WipedSpool {
  const path = join(stateDir, 'spool', component);
  try {
    using folder = Directory.open(rawPathOf(path), { lastLink: 'refused' });
    if (!isOurs(folder.stat())) return { removed: 0, left: [path] };
    using _alone = alone(folder, component);
    return wipe(folder, rawPathOf(path), 1);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { removed: 0, left: [] };
    if (errorCode(error) === undefined) throw error;
    throw new HoldfastError('refused', `the spool ${path} can’t be wiped: ${reasonOf(error)}`, { cause: error });
  }
}

/** The worker's own lock; whoever comes for it meanwhile finds it held. */
function alone(folder: Directory, component: string): Disposable {
  const lock = rawPathOf('worker.lock');
  if (folder.lstatIfThere(lock)?.isFile() !== true) return { [Symbol.dispose]: () => undefined };
  const held = lockFile(folder.path(lock));
  if (held === 'unknown') return { [Symbol.dispose]: () => undefined };
  if (held !== 'held') return held;
  throw new HoldfastError('locked', `${component}: a worker is storing its log`, {
    next: 'It ends by itself once nothing waits to be stored: run the command again then. Nothing was changed.',
  });
}

function wipe(folder: Directory, path: RawPath, level: number): WipedSpool {
  const parts = folder.names().map((name) => wipeChild(folder, name, { path, level }));
  return { removed: parts.reduce((sum, one) => sum + one.removed, 0), left: parts.flatMap(({ left }) => left) };
}

function wipeChild(
  folder: Directory,
  name: RawPath,
  { path, level }: { readonly path: RawPath; readonly level: number },
): WipedSpool {
  const own = rawPathOfByteString(`${path}/${name}`);
  const stat = folder.lstatIfThere(name);
  const left = { removed: 0, left: [displayPath(own)] };
  if (stat === undefined || isLock(name) || isNoteOfLog(name)) return { removed: 0, left: [] };
  if (!isOurs(stat)) return left;
  if (stat.isDirectory()) return level < mostLevels ? wipeWithin(folder, name, { path: own, level }) : left;
  if (!stat.isFile()) return left;
  folder.unlink(name);
  return { removed: 1, left: [] };
}

function wipeWithin(
  folder: Directory,
  name: RawPath,
  { path, level }: { readonly path: RawPath; readonly level: number },
): WipedSpool {
  using child = folder.openDirectory(name);
  return wipe(child, path, level + 1);
}

function isLock(name: RawPath): boolean {
  return /(?:^|\.)lock$/.test(name);
}

function isOurs({ uid }: { readonly uid: bigint }): boolean {
  return Number(uid) === process.getuid?.();
}
