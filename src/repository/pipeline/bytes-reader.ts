import type { Bytes } from './protocol.ts';
import { readAt } from './source-file.ts';

/** Bytes at positions of a content, as a worker sees them. */
export interface BytesReader {
  /** Up to `length` bytes from `position` into `target`: how many. Fewer only at the end. */
  read(target: Uint8Array, length: number, position: number): number;
}

export function readerOf(bytes: Bytes): BytesReader {
  if (bytes.kind === 'ring') return ringReader(new Uint8Array(bytes.memory), bytes.end);
  return { read: (target, length, position) => readAt(bytes.fd, target, length, position) };
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
