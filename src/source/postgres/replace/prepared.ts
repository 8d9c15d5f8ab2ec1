import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';

/** What a cluster that is being restored over names as its pg_hba.conf: nobody’s server starts by it. */
export const notThrough = 'the-restore-in-place-is-not-through';

/** Whether a cluster stands in a place that anybody can start: only one that is restored over has pg_control, and that setting. */
export function isWholeCluster(place: string): boolean {
  if (!existsSync(join(place, 'global/pg_control'))) return false;
  const path = join(place, 'postgresql.auto.conf');
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return !lines.some((line) => /^\s*hba_file\s*=/i.test(line) && line.includes(notThrough));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return true;
    throw new HoldfastError('refused', `${path} can’t be read: ${reasonOf(error)}`, { cause: error });
  }
}
