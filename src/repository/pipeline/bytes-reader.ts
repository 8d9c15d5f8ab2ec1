import { fstatSync } from 'node:fs';
import { dataRanges } from '../../host/holes.ts';
import type { Bytes } from './protocol.ts';
import { readAt } from './source-file.ts';

/** Below this, finding holes costs more than reading zeros. */
const smallBytes = 1024 * 1024;

/** Bytes at positions of a content, as a worker sees them. */
export interface BytesReader {
  /** Up to `length` bytes from `position` into `target`: how many. Fewer only at the end. */
  read(target: Uint8Array, length: number, position: number): number;
}

export function readerOf(bytes: Bytes): BytesReader {
  if (bytes.kind === 'live') return liveReader(bytes.fd, bytes.end);
  if (bytes.kind === 'ring') return ringReader(new Uint8Array(bytes.memory), bytes.end);
  return hasHoles(bytes.fd) ? sparseReader(bytes.fd) : readerOfAll(bytes.fd);
}

function readerOfAll(fd: number): BytesReader {
  return { read: (target, length, position) => readAt(fd, target, length, position) };
}

function liveReader(fd: number, end: number): BytesReader {
  const read: BytesReader['read'] = (target, wanted, position) => {
    const length = Math.max(0, Math.min(wanted, end - position));
    target.fill(0, readAt(fd, target, length, position), length);
    return length;
  };
  return { read };
}

function hasHoles(fd: number): boolean {
  const { blocks, size } = fstatSync(fd);
  return size > smallBytes && blocks * 512 < size;
}

/** Leaves holes unread. The size is asked for each time: a file that is cut meanwhile ends where it ends now. */
function sparseReader(fd: number): BytesReader {
  const read: BytesReader['read'] = (target, wanted, position) => {
    const length = Math.max(0, Math.min(wanted, fstatSync(fd).size - position));
    target.fill(0, 0, length);
    for (const { start, end } of dataRanges(fd, position + length, position)) {
      const got = readAt(fd, target.subarray(start - position), end - start, start);
      if (got < end - start) return start - position + got;
    }
    return length;
  };
  return { read };
}

/** Position p stands at p modulo the ring's length. */
function ringReader(ring: Uint8Array, end: number): BytesReader {
  const read: BytesReader['read'] = (target, wanted, position) => {
    const length = Math.max(0, Math.min(wanted, end - position));
    const from = position % ring.length;
    const first = Math.min(length, ring.length - from);
    target.set(ring.subarray(from, from + first), 0);
    if (first < length) target.set(ring.subarray(0, length - first), first);
    return length;
  };
  return { read };
}
