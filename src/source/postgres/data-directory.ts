import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';

/** A data directory as this host finds it. */
export interface DataDirectory {
  /** Without links. */
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  /** In decimal, as PostgreSQL writes it: every copy of a cluster has the same. */
  readonly systemIdentifier: string;
  /** Whose it is: the user that the server runs as. */
  readonly uid: number;
}

/** 'refused' where there is none, or it can't be read. */
export function lookAtDataDirectory(path: string): DataDirectory {
  try {
    const { dev, ino, uid } = statSync(path, { bigint: true });
    const systemIdentifier = systemIdentifierIn(path);
    return { path: realpathSync(path), device: `${dev}`, inode: `${ino}`, uid: Number(uid), systemIdentifier };
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw new HoldfastError('refused', `the data directory ${path} can’t be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** pg_control begins with it, in the byte order of the machine. */
function systemIdentifierIn(path: string): string {
  const descriptor = openSync(join(path, 'global/pg_control'), 'r');
  try {
    const bytes = Buffer.alloc(8);
    if (readSync(descriptor, bytes, 0, 8, 0) < 8) throw new HoldfastError('refused', `${path}: pg_control is cut off`);
    return `${endianness() === 'LE' ? bytes.readBigUInt64LE() : bytes.readBigUInt64BE()}`;
  } finally {
    closeSync(descriptor);
  }
}
