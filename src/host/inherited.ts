import { readdirSync } from 'node:fs';
import { checked, libcFunction } from './libc.ts';
import { errorCode } from './system-error.ts';

const ioctl = libcFunction('ioctl', { return: 'i32', arguments: ['i32', 'u64'] });
/** FIOCLEX: closed in whatever program is started next. */
const closeOnExec = 0x5451n;
const firstOfOthers = 3;

/**
 * What this process was started with beside its input, output and error (a lock, a pipe) stays with it: no program that
 * is started from here on has it. 'unknown' where the system can't do this.
 */
export function keepInherited(): 'kept' | 'unknown' {
  if (ioctl === undefined || process.platform !== 'linux') return 'unknown';
  for (const name of readdirSync('/proc/self/fd')) if (Number(name) >= firstOfOthers) keep(ioctl, Number(name));
  return 'kept';
}

function keep(call: NonNullable<typeof ioctl>, descriptor: number): void {
  try {
    checked('ioctl', call(descriptor, closeOnExec));
  } catch (error) {
    if (errorCode(error) !== 'EBADF') throw error; // that by which they were listed, and what is closed meanwhile
  }
}
