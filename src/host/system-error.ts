import { getSystemErrorMessage, getSystemErrorName } from 'node:util';

/** What a refused system call throws, whether Node made it or libc: `code` is the name that the manual uses. */
export interface SystemError extends Error {
  readonly code: string;
}

/** The name of the error ('ENOENT') when `error` came from the system, else undefined. */
export function errorCode(error: unknown): string | undefined {
  return isSystemError(error) ? error.code : undefined;
}

/** An error like Node's own for a call that libc refused. */
export function systemError(call: string, errno: number): SystemError {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${code}: ${getSystemErrorMessage(-errno)}, ${call}`), {
    code,
    errno: -errno,
    syscall: call,
  });
}

/** What the error means, for people, without path and call: 'permission denied'. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isSystemError(error) ? (/^\w+: ([^,]+)/.exec(error.message)?.[1] ?? error.message) : error.message;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code);
}
