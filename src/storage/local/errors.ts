import type { ErrorCode } from '../../errors/codes.ts';
import { HoldfastError } from '../../errors/error.ts';

/** The system's name of an error ('ENOENT'), where it has one. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const meanings: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'storage-denied',
  EDQUOT: 'storage-full',
  EISDIR: 'storage-not-found',
  ENODEV: 'storage-missing',
  ENOENT: 'storage-not-found',
  ENOSPC: 'storage-full',
  ENOTCONN: 'storage-missing',
  ENOTDIR: 'storage-not-found',
  ENXIO: 'storage-missing',
  EPERM: 'storage-denied',
  EROFS: 'storage-read-only',
  ESTALE: 'storage-missing',
  ETIMEDOUT: 'storage-timeout',
};

/** What a failed system call means for the object; `doing` reads like 'cannot store data/ab/… in /backups'. */
export function storageError(error: unknown, doing: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const code = meanings[errnoOf(error) ?? ''] ?? 'storage-failed';
  return new HoldfastError(code, `${doing}: ${reason(error)}`, { cause: error });
}

/** The system's words, without the path that node adds. */
function reason(error: unknown): string {
  return error instanceof Error
    ? error.message.replace(
        /,? (?:open|stat|mkdir|rename|link|unlink|scandir|lstat|f?chmod|read|writev?|fsync) ?.*$/,
        '',
      )
    : String(error);
}
