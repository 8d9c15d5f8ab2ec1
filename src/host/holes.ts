import { constants } from 'node:os';
import { lastErrno, libcFunction } from './libc.ts';
import { systemError } from './system-error.ts';

/** Bytes [start, end) of a file. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

const darwin = process.platform === 'darwin';
const [SEEK_HOLE, SEEK_DATA] = darwin ? [3, 4] : [4, 3];
const lseek = libcFunction('lseek', { return: 'i64', arguments: ['i32', 'i64', 'i32'] });

/** Whether this host tells where a file has holes. */
export const holesAreKnown = lseek !== undefined;

/**
 * The parts of an open file that may hold data, ascending; everything between reads as zeros. One range of all where
 * the file system can't tell. Begins at `fromBytes`. Moves the descriptor's position.
 * @public for sources of large sparse files
 */
export function* dataRanges(fd: number, sizeBytes: number, fromBytes = 0): Generator<Range, void, void> {
  let position = fromBytes;
  while (position < sizeBytes) {
    const start = seek(fd, position, SEEK_DATA);
    if (start === undefined) return; // a hole up to the end
    const hole = start === 'unknown' ? sizeBytes : seek(fd, start, SEEK_HOLE);
    const end = typeof hole === 'number' ? Math.min(hole, sizeBytes) : sizeBytes;
    const from = start === 'unknown' ? position : start;
    if (from < end) yield { start: from, end };
    position = end;
  }
}

/** Undefined past the last data; 'unknown' where the question is not understood. */
function seek(fd: number, offset: number, whence: number): number | 'unknown' | undefined {
  if (lseek === undefined) return 'unknown';
  const found = Number(lseek(fd, BigInt(offset), whence));
  if (found >= 0) return found;
  const errno = lastErrno();
  if (errno === constants.errno.ENXIO) return undefined;
  if (errno === constants.errno.EINVAL || errno === constants.errno.ENOTSUP) return 'unknown';
  throw systemError('lseek', errno);
}
