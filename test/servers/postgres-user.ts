import { chown } from 'node:fs/promises';
import { systemClock } from '../../src/clock/clock.ts';
import { processIsAlive } from '../../src/host/users.ts';

const nobody = 65534;
const isRoot = process.getuid?.() === 0;

/** The words that run a program as a user who may run a server: PostgreSQL refuses root. */
export function asServer(words: readonly string[]): readonly [string, ...string[]] {
  const as = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups'];
  return isRoot ? ['setpriv', ...as, ...words] : ['env', ...words];
}

/** Hands a file or folder to that user. */
export async function giveToServer(path: string): Promise<void> {
  if (isRoot) await chown(path, nobody, nobody);
}

const mostMs = 10_000;

/** Ends a server at once, but with its shared memory given back, which a kill would leave behind. */
export async function quitServer(pid: number): Promise<void> {
  if (!processIsAlive(pid)) return;
  process.kill(pid, 'SIGQUIT');
  const giveUpAt = systemClock.monotonicMs() + mostMs;
  while (processIsAlive(pid) && systemClock.monotonicMs() < giveUpAt) await systemClock.sleep(10);
}
