import { closeSync, openSync } from 'node:fs';
import { checked, libcFunction } from './libc.ts';
import { errorCode } from './system-error.ts';

const flock = libcFunction('flock', { return: 'i32', arguments: ['i32', 'i32'] });
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * A lock among the processes of this host that ends with its holder, be it by SIGKILL. 'held' when another process has
 * it, 'unknown' where the system has no such locks.
 */
export function lockFile(path: string): Disposable | 'held' | 'unknown' {
  if (flock === undefined) return 'unknown';
  const descriptor = openSync(path, 'a', 0o600);
  try {
    checked('flock', flock(descriptor, LOCK_EX | LOCK_NB));
  } catch (error) {
    closeSync(descriptor);
    if (errorCode(error) === 'EAGAIN') return 'held';
    throw error;
  }
  return { [Symbol.dispose]: () => closeSync(descriptor) };
}
