import { fsyncSync } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errorCode } from './system-error.ts';

/** What file systems answer that can't do it at all (some network and FUSE ones): as lasting as they get. */
const cannotSync: readonly (string | undefined)[] = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOTTY'];

/** Makes the bytes of an open file survive a power cut. */
export async function syncFile(file: FileHandle): Promise<void> {
  try {
    await file.sync();
  } catch (error) {
    if (!cannotSync.includes(errorCode(error))) throw error;
  }
}

/** As `syncFile`, at once. */
export function syncDescriptor(fd: number): void {
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!cannotSync.includes(errorCode(error))) throw error;
  }
}

/** Makes the names in a folder survive a power cut: what was created, renamed or removed in it before. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await syncFile(folder);
}

/** Makes a folder, and its parents, where they aren't there; those that it has made survive a power cut when it resolves. */
export async function makeLasting(path: string, mode: number): Promise<void> {
  const whole = resolve(path);
  const first = await mkdir(whole, { recursive: true, mode });
  if (first === undefined) return;
  for (let made = whole; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}
