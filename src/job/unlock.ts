import { processIsAlive } from '../host/users.ts';
import { removeAllLocks, removeStaleLocks } from '../repository/lock.ts';
import type { JobContext } from './job.ts';

/** Removes locks whose holder is gone, or all; resolves to how many. Takes none itself. */
export async function unlock({ access, clock }: JobContext, which: 'stale' | 'all'): Promise<number> {
  await using repository = await access.open();
  if (which === 'all') return await removeAllLocks(repository);
  return await removeStaleLocks(repository, { clock, hostname: access.holder.hostname, isAlive: processIsAlive });
}
