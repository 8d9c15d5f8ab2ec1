import { stat } from 'node:fs/promises';
import { errorCode } from '../host/system-error.ts';

/** Bytes; undefined where nothing is there. */
export async function sizeAt(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return undefined;
  }
}
