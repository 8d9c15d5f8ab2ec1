import { readdirSync } from 'node:fs';
import { checked, libcFunction } from './libc.ts';
import { errorCode } from './system-error.ts';

const fcntl = libcFunction('fcntl', { return: 'i32', arguments: ['i32', 'i32', 'u64'] });
/** F_SETFD and FD_CLOEXEC, closed in whatever program is started next: the same on all processors, and of whatever is open. */
const [setFlags, closeOnExec] = [2, 1n] as const;
const firstOfOthers = 3;

/**
 * What this process was started with beside its input, output and error (a lock, a pipe) stays with it: no program that
 * is started from here on has it. 'unknown' where the system can't do this.
 */
export function keepInherited(): 'kept' | 'unknown' {
  if (fcntl === undefined || process.platform !== 'linux') return 'unknown';
  for (const name of readdirSync('/proc/self/fd')) if (Number(name) >= firstOfOthers) keep(fcntl, Number(name));
  return 'kept';
}

function keep(call: NonNullable<typeof fcntl>, descriptor: number): void {
  try {
    checked('fcntl', call(descriptor, setFlags, closeOnExec));
  } catch (error) {
    if (errorCode(error) !== 'EBADF') throw error; // that by which they were listed, and what is closed meanwhile
  }
}
