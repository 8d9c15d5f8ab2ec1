import { readdir } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';

/** Where a server says what it wants to be archived: `<file>.ready`, which becomes `<file>.done`. */
const statusFolder = 'pg_wal/archive_status';

/** What waits, in the order in which the server hands it over: timelines first, then the oldest. */
export async function readyFiles(dataDirectory: string): Promise<readonly string[]> {
  const names = await namesIn(join(dataDirectory, statusFolder));
  const ready = names.filter((name) => name.endsWith('.ready')).map((name) => name.slice(0, -'.ready'.length));
  const rank = (name: string): number => (name.endsWith('.history') ? 0 : 1);
  return ready.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new HoldfastError('source-failed', `${folder} can't be read: ${reasonOf(cause)}`, { cause });
  }
}

/** That a server wants one file to be archived. */
export interface Wish {
  /** Tells it from an earlier one of the same name, as after a re-initdb or a rewind. */
  readonly id: string;
  /** When it was written down: milliseconds since 1970, by its file. */
  readonly atMs: number;
}

/** undefined: there is none any more. */
export function wishOf(dataDirectory: string, name: string): Wish | undefined {
  try {
    const { ino, ctimeNs, mtimeNs } = statSync(join(dataDirectory, statusFolder, `${name}.ready`), { bigint: true });
    return { id: `${ino}.${ctimeNs}`, atMs: Number(mtimeNs / 1000n) / 1000 };
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    throw new HoldfastError('source-failed', `${dataDirectory} can't be asked for ${name}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}
