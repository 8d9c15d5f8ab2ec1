import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import { processIsAlive } from '../../../host/users.ts';
import { lookAtDataDirectory, type DataDirectory } from '../data-directory.ts';
import type { SetupFacts } from './facts.ts';

/** Whether the server that answers runs on this host, and from which data directory. */
export type Here =
  | { readonly state: 'here'; readonly directory: DataDirectory; readonly freeBytes: Free }
  /** 'elsewhere': on another host, as far as can be seen. 'unseen': whether it does can't be told from here. */
  | { readonly state: 'elsewhere' | 'unseen'; readonly reason: string };

interface Free {
  readonly data: number;
  readonly log: number;
}

/**
 * A copy beside it has its identity, and may stand at the same path on another host: the server is here where the process
 * that holds the directory is alive, listens at the port that answers, and began when it says it did.
 */
export async function lookHere(facts: SetupFacts): Promise<Here> {
  const { dataDirectory } = facts;
  if (dataDirectory === undefined)
    return { state: 'unseen', reason: 'the role may not see where the data directory is' };
  try {
    const directory = lookAtDataDirectory(dataDirectory);
    const isOther = directory.systemIdentifier !== facts.systemIdentifier || !isHeldBy(facts, directory.path);
    if (isOther) return { state: 'elsewhere', reason: `${dataDirectory} of this host is not what that server runs on` };
    const freeBytes = { data: await free(directory.path), log: await free(join(directory.path, 'pg_wal')) };
    return { state: 'here', directory, freeBytes };
  } catch (error) {
    const cause = error instanceof HoldfastError ? error.cause : error;
    const code = errorCode(cause);
    if (code === undefined) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return { state: 'elsewhere', reason: `there is no ${dataDirectory} on this host` };
    return { state: 'unseen', reason: `${dataDirectory} can’t be read: ${reasonOf(cause)}` };
  }
}

/** Seconds between the start of the process and what the server calls its start: recovery lies between. */
const mostStartSeconds = 3600;

/** postmaster.pid: process, data directory, start, port … a line each. */
function isHeldBy({ port, startedAt }: SetupFacts, directory: string): boolean {
  const [pid, , started, listens] = readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n');
  const seconds = startedAt - Number(started);
  const isOfThisStart = seconds > -2 && seconds < mostStartSeconds;
  return listens?.trim() === port && isOfThisStart && processIsAlive(Number(pid));
}

async function free(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
