import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../../host/system-error.ts';

export interface FoundSlot {
  readonly name: string;
  readonly kind: 'physical' | 'logical';
}

/** slot.c, ReplicationSlotOnDisk: magic, checksum, version and length, then the name and the database's OID. */
const databaseAt = 16 + 64;

/** The replication slots of a server that doesn't run. What can't be read of them is told by its name, as physical. */
export async function slotsIn(place: string): Promise<readonly FoundSlot[]> {
  const folder = join(place, 'pg_replslot');
  const names = await namesIn(folder);
  return await Promise.all(
    names.map(async (name) => {
      const state = await bytesIn(join(folder, name, 'state'));
      const isLogical = state.length >= databaseAt + 4 && state.readUInt32LE(databaseAt) !== 0;
      return { name, kind: isLogical ? 'logical' : 'physical' } as const;
    }),
  );
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [];
  }
}

async function bytesIn(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return Buffer.alloc(0);
  }
}
