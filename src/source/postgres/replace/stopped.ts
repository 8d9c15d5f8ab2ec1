import { readFileSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import { processIsAlive } from '../../../host/users.ts';
import type { Obstacle } from '../../in-place.ts';
import type { LogWork } from '../../log.ts';

/** As `obstacleIn`, thrown. */
export async function assertStopped(place: string): Promise<void> {
  const obstacle = await obstacleIn(place);
  if (obstacle !== undefined) throw obstacle.error;
}

/**
 * A server that runs in a data directory, or seems to: one in a container has a process that isn't seen from here, so that
 * its file alone counts, as one that a crash has left does.
 */
export async function obstacleIn(place: string): Promise<Obstacle | undefined> {
  const path = join(place, 'postmaster.pid');
  const pid = await pidIn(path);
  if (pid === undefined) return undefined;
  const who = whoIs(pid, place);
  if (who === 'its server') return { isSeen: true, error: running(place, pid) };
  const what =
    who === 'nobody'
      ? `whose process ${pid} can’t be seen from here`
      : `and its process ${pid} is another program here, ${who.program}`;
  const error = new HoldfastError('refused', `${path} says that a server runs there, ${what}`, {
    next: `A crash, or a start of the host, leaves that file. If no server runs there, in a container either, remove ${path}, and run the command again. Nothing was changed.`,
  });
  return { isSeen: false, error };
}

function running(place: string, pid: number): HoldfastError {
  return new HoldfastError('refused', `a server runs in ${place} (process ${pid})`, {
    next: 'Stop it, or have the policy do so by `restore: { stop: …, start: … }`, and run the command again. Nothing was changed.',
  });
}

/** A number may be another process's since. A server stands in its data directory; where that isn't seen, its name tells. */
function whoIs(pid: number, place: string): 'its server' | 'nobody' | { readonly program: string } {
  if (!processIsAlive(pid)) return 'nobody';
  const program = programOf(pid);
  if (program === undefined) return 'its server';
  const standsIn = idOf(`/proc/${pid}/cwd`);
  const isServer = standsIn === undefined ? /postgres|postmaster/.test(program) : standsIn === idOf(place);
  return isServer ? 'its server' : { program };
}

/** Undefined where it can’t be looked at: another user’s process, or a system without /proc. */
function idOf(folder: string): string | undefined {
  try {
    const { dev, ino } = statSync(folder);
    return `${dev} ${ino}`;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Undefined where the system doesn’t tell. */
function programOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

const mostMs = 60_000;
const pauseMs = 50;

/** A server of ours that lost who feeds it ends by itself, soon; its file tells of nobody else, for nobody could start one. */
export async function settle(place: string, { clock, signal }: Pick<LogWork, 'clock' | 'signal'>): Promise<void> {
  const path = join(place, 'postmaster.pid');
  const giveUpAt = clock.monotonicMs() + mostMs;
  for (let pid = await pidIn(path); pid !== undefined && whoIs(pid, place) === 'its server'; pid = await pidIn(path)) {
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
    throw new HoldfastError('refused', `${path} can’t be read: ${reasonOf(error)}`, {
      cause: error,
      next: 'Whether a server runs there is not known. If none does, remove that file, or move the data directory away, and run the command again. Nothing was changed.',
    });
  }
}
