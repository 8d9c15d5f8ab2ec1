import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { rawPathOf } from '../../../bytes/ids.ts';
import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { lookAtDataDirectory, type DataDirectory } from '../data-directory.ts';
import { assertOwnHost } from '../host/same-host.ts';
import type { SetupFacts } from './facts.ts';

/** Whether the server that answers runs on this host, and from which data directory. */
export type Here =
  | { readonly state: 'here'; readonly directory: DataDirectory; readonly freeBytes: Free }
  /** As far as can be seen: it may be here, and be another user’s. */
  | { readonly state: 'elsewhere'; readonly reason: string };

interface Free {
  readonly data: number;
  readonly log: number;
}

export async function lookHere(
  { dataDirectory, systemIdentifier, port, startedAt }: SetupFacts,
  watching: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Here> {
  if (dataDirectory === undefined)
    return { state: 'elsewhere', reason: 'the role may not see where the data directory is' };
  const running = { systemIdentifier, port: Number(port), startedSeconds: startedAt };
  try {
    await assertOwnHost({ ...running, dataDirectory: rawPathOf(dataDirectory) }, watching);
    const directory = lookAtDataDirectory(dataDirectory);
    const freeBytes = { data: await free(directory.path), log: await free(join(directory.path, 'pg_wal')) };
    return { state: 'here', directory, freeBytes };
  } catch (error) {
    if (!(error instanceof HoldfastError) || watching.signal.aborted) throw error;
    return { state: 'elsewhere', reason: error.message };
  }
}

async function free(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
