import { open, type FileHandle } from 'node:fs/promises';
import { errnoOf } from './errors.ts';

/** What file systems answer that can't do it at all (some network and FUSE ones): as durable as they get. */
const cannotSync: readonly (string | undefined)[] = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOTTY'];

/** Makes the bytes of an open file survive a power cut. */
export async function syncFile(file: FileHandle): Promise<void> {
  await ignoring(cannotSync, file.sync());
}

/** Makes the names in a folder survive a power cut: what was created, renamed or removed in it before. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await ignoring(cannotSync, folder.sync());
}

/** Waits for `call` and takes these errors for success. */
export async function ignoring(codes: readonly (string | undefined)[], call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!codes.includes(errnoOf(error))) throw error;
  }
}
