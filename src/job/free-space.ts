import { statfs } from 'node:fs/promises';
import { HoldfastError } from '../errors/error.ts';
import { DiskFull } from '../snapshot/restore.ts';

const mib = 2 ** 20;
const elsewhere = 'Free some space there, or name another disk by --state-dir. Nothing was changed.';

/** 'refused' where a folder's disk has no room for so much, with a tenth to spare. */
export async function assertFree(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const [free, needed] = [bavail * bsize, Math.ceil(bytes * 1.1)];
  if (free >= needed) return;
  const [lacks, has] = [Math.ceil(needed / mib), Math.floor(free / mib)];
  throw new HoldfastError('refused', `${lacks} MiB are needed in ${folder}, and ${has} MiB are free`, {
    next: elsewhere,
  });
}

/** A full disk where all that is put there is ours alone, and is gone by now. */
export function ofScratch(error: unknown): unknown {
  if (!(error instanceof DiskFull)) return error;
  return new HoldfastError(error.code, error.message, { cause: error, next: elsewhere });
}
