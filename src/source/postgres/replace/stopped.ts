import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import { processIsAlive } from '../../../host/users.ts';
import type { LogWork } from '../../log.ts';

/**
 * 'refused' where a server runs in a data directory, or seems to: one in a container has a process that isn't seen from
 * here, so that its file alone counts, as one that a crash has left does.
 */
export async function assertStopped(place: string): Promise<void> {
  const pid = await pidIn(join(place, 'postmaster.pid'));
  if (pid === undefined) return;
  const runs = processIsAlive(pid);
  throw new HoldfastError(
    'refused',
    runs
      ? `a server runs in ${place} (process ${pid})`
      : `${place}/postmaster.pid says that a server runs there, whose process ${pid} can’t be seen from here`,
    {
      next: runs
        ? 'Stop it, or have the policy do so by `restore: { stop: …, start: … }`, and run the command again. Nothing was changed.'
        : 'If no server runs there, in a container either, remove that file, and run the command again. Nothing was changed.',
    },
  );
}

const mostMs = 60_000;
const pauseMs = 50;

/** A server of ours that lost who feeds it ends by itself, soon; its file tells of nobody else, for nobody could start one. */
export async function settle(place: string, { clock, signal }: Pick<LogWork, 'clock' | 'signal'>): Promise<void> {
  const path = join(place, 'postmaster.pid');
  const giveUpAt = clock.monotonicMs() + mostMs;
  for (let pid = await pidIn(path); pid !== undefined && processIsAlive(pid); pid = await pidIn(path)) {
    if (clock.monotonicMs() > giveUpAt) return await assertStopped(place);
    await clock.sleep(pauseMs, signal);
  }
  await rm(path, { force: true });
}

async function pidIn(path: string): Promise<number | undefined> {
  try {
    return Math.abs(Number.parseInt(await readFile(path, 'utf8'), 10)) || 0;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw new HoldfastError('refused', `${path} can’t be read: ${reasonOf(error)}`, { cause: error });
  }
}
