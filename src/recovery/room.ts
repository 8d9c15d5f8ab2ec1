import { stat, statfs } from 'node:fs/promises';
import { HoldfastError } from '../errors/error.ts';

/** So much is put into a folder. */
export interface Put {
  readonly folder: string;
  readonly bytes: number;
}

/** A disk, by the first folder that anything is put into. */
export interface Disk extends Put {
  readonly freeBytes: number;
}

/** What each disk has to take, and has room for. */
export async function disksFor(
  puts: readonly Put[],
  look: (folder: string) => Promise<Room> = roomAt,
): Promise<readonly Disk[]> {
  const disks = new Map<number, Disk>();
  for (const { folder, bytes } of puts) {
    const { device, freeBytes } = await look(folder);
    const known = disks.get(device) ?? { folder, bytes: 0, freeBytes };
    disks.set(device, { ...known, bytes: known.bytes + bytes });
  }
  return [...disks.values()];
}

export interface Room {
  readonly device: number;
  readonly freeBytes: number;
}

export async function roomAt(folder: string): Promise<Room> {
  const [{ dev: device }, { bavail, bsize }] = [await stat(folder), await statfs(folder)];
  return { device, freeBytes: bavail * bsize };
}

/** 'refused' with the name of each that has no room. */
export function assertRoom(disks: readonly Disk[]): void {
  const lacking = disks.filter(({ bytes, freeBytes }) => freeBytes < bytes);
  if (lacking.length === 0) return;
  const mib = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
  const each = lacking.map(
    ({ folder, bytes, freeBytes }) => `${mib(bytes)} MiB are needed in ${folder}, and ${mib(freeBytes)} MiB are free`,
  );
  throw new HoldfastError('refused', each.join('; '), {
    next: 'What is replaced is kept beside what replaces it. Free some space there. Nothing was changed.',
  });
}
