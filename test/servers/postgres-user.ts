import { chownSync, mkdirSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { stateFolder } from '../../scripts/tree.ts';
import { systemClock } from '../../src/clock/clock.ts';
import { processIsAlive } from '../../src/host/users.ts';
import type { RunningServer } from './running.ts';

const nobody = 65534;
const isRoot = process.getuid?.() === 0;

/** The words that run a program as a user who may run a server: PostgreSQL refuses root. */
export function asServer(words: readonly string[]): readonly [string, ...string[]] {
  if (!isRoot) return ['env', ...words];
  const as = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups'];
  return ['setpriv', ...as, 'env', `NODE_COMPILE_CACHE=${compileCache()}`, ...words];
}

/** That user can't read what the tests have compiled: without its own, a start of the program takes it twice as long. */
function compileCache(): string {
  const folder = join(stateFolder, 'compiled-as-server');
  mkdirSync(folder, { recursive: true });
  chownSync(folder, nobody, nobody);
  return folder;
}

/** Hands a file or folder to that user. */
export async function giveToServer(path: string): Promise<void> {
  if (isRoot) await chown(path, nobody, nobody);
}

/** Its children have five seconds by themselves, and a busy machine takes its time. */
const mostMs = 60_000;

/** Ends a server at once, but with its shared memory given back, which a kill would leave behind. */
export async function quitServer({ pid, hasEnded }: Pick<RunningServer, 'pid' | 'hasEnded'>): Promise<void> {
  if (hasEnded() || !processIsAlive(pid)) return;
  process.kill(pid, 'SIGQUIT');
  const giveUpAt = systemClock.monotonicMs() + mostMs;
  while (!hasEnded() && processIsAlive(pid) && systemClock.monotonicMs() < giveUpAt) await systemClock.sleep(10);
}
