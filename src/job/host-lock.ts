import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lockFile } from '../host/file-lock.ts';
import type { Lease, Taken } from './lease.ts';

/**
 * One process of this host at a time; a kill gives it back. Where the system has no such locks nobody is kept out: a rule
 * that runs twice at once stores one snapshot too many and loses nothing.
 */
export async function hostLock(path: string): Promise<Lease | Taken> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const lock = lockFile(path);
  if (lock === 'held') return { by: 'another process of this host', state: 'running' };
  return {
    assertHeld: async () => undefined,
    markDone: () => undefined,
    [Symbol.asyncDispose]: async () => {
      if (lock !== 'unknown') lock[Symbol.dispose]();
    },
  };
}
