import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import { currentUser, processIsAlive } from '../../../host/users.ts';

/** A folder of ours alone that may not outgrow a limit, and is gone when it is disposed of. */
export interface SpoolFolder extends AsyncDisposable {
  readonly path: string;
  readonly limitBytes: number;
}

export interface SpoolOptions {
  /** The folder for temporary files where it isn't said. */
  readonly folder: string | undefined;
  /** Nine tenths of what is free where it isn't said. */
  readonly limitBytes: number | undefined;
}

/** What processes left that are gone is removed first. */
export async function openSpool({ folder = tmpdir(), limitBytes }: SpoolOptions): Promise<SpoolFolder> {
  const base = join(folder, `holdfast-dumps-${currentUser().uid}`);
  try {
    await mkdir(base, { recursive: true, mode: 0o700 });
    await assertOurs(base);
    await removeLeftovers(base);
    const path = join(base, `${process.pid}-${randomBytes(6).toHex()}`);
    await mkdir(path, { mode: 0o700 });
    const { bavail, bsize } = await statfs(path);
    return {
      path,
      limitBytes: limitBytes ?? Math.floor(bavail * bsize * 0.9),
      [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }),
    };
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause;
    throw new HoldfastError('refused', `no folder for dumps can be made in ${folder}: ${reasonOf(cause)}`, { cause });
  }
}

/** In a folder that everybody may write somebody else could have made it. */
async function assertOurs(base: string): Promise<void> {
  const { uid, mode } = await lstat(base);
  if (uid === currentUser().uid && (mode & 0o077) === 0) return;
  throw new HoldfastError('refused', `${base} is there, and others may write or read it`);
}

async function removeLeftovers(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    const pid = Number(/^(\d+)-[0-9a-f]{12}$/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isInteger(pid) && pid !== process.pid && !processIsAlive(pid))
      await rm(join(base, name), { recursive: true, force: true });
  }
}

const lookEveryMs = 500;

export interface SpoolWatch {
  readonly clock: Clock;
  /** What fills it has ended. */
  readonly done: AbortSignal;
  /** It may stay as large as it is for so long. */
  readonly quietMs: number;
  readonly giveUp: (why: 'outgrown' | 'quiet') => void;
}

/** Looks how large it is until `done`; says once that it has outgrown its limit, or has grown no more for too long. */
export async function watchSpool(
  { path, limitBytes }: SpoolFolder,
  { clock, done, quietMs, giveUp }: SpoolWatch,
): Promise<void> {
  let [size, grewMs] = [0, clock.monotonicMs()];
  while (!done.aborted) {
    const bytes = await bytesBelow(path);
    if (bytes > limitBytes) return giveUp('outgrown');
    const nowMs = clock.monotonicMs();
    if (bytes !== size) [size, grewMs] = [bytes, nowMs];
    else if (nowMs - grewMs > quietMs) return giveUp('quiet');
    await clock.sleep(lookEveryMs, done).catch(() => undefined); // all is written
  }
}

export async function bytesBelow(folder: string): Promise<number> {
  const sizes = (await filesBelow(folder)).map(({ bytes }) => bytes);
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

/** The files of a folder and of its folders; one that goes meanwhile is left out. */
export async function filesBelow(
  folder: string,
): Promise<readonly { readonly path: string; readonly bytes: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((one) => one.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const sized = files.map(async (path) => {
    try {
      return [{ path, bytes: (await lstat(path)).size }];
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  });
  return (await Promise.all(sized)).flat();
}
