import { constants, openSync, readSync } from 'node:fs';
import { systemPath, type RawPath } from '../../bytes/ids.ts';

/** Never follows a link at the last name, never waits for a fifo that took the file's place. */
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Leaves the access time alone: Linux, for the owner and root. */
const withoutAccessTime = constants.O_NOATIME ?? 0;

export function openSource(path: RawPath): number {
  const name = systemPath(path);
  try {
    return openSync(name, readOnly | withoutAccessTime);
  } catch (error) {
    const refused = error instanceof Error && 'code' in error && error.code === 'EPERM';
    if (withoutAccessTime === 0 || !refused) throw error;
    return openSync(name, readOnly);
  }
}

/** Up to `length` bytes from `position`; fewer only at the end. */
export function readAt(fd: number, target: Uint8Array, length: number, position: number): number {
  let done = 0;
  while (done < length) {
    const got = readSync(fd, target, done, length - done, position + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}

/** The reason, for people, that a system call failed. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/, \w+( '.*)?$/s, '') : String(error);
}
