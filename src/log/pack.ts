import { createHash } from 'node:crypto';
import { lineRoomBytes, packOwnBytes, packRoomBytes } from '../repository/own-bytes.ts';
import type { About, Extent, LogName, PackedSegment } from './log.ts';
import { segmentKey } from './names.ts';

/** Where a segment is read to that `packSegment` is to pack: as much stands free before it. */
export const segmentAt = lineRoomBytes;

/** What `packSegment` may fill for a segment of so many bytes. */
export const segmentRoomBytes = packRoomBytes;

/**
 * Hashes and compresses the segment that stands in `memory` from `segmentAt` on, into `room`: what the result shows is
 * there until that is used again. For a thread, since it takes its time; every place of this log takes the same.
 */
export function packSegment(name: LogName, extent: Extent, memory: Uint8Array, room: Uint8Array): PackedSegment {
  const about = aboutOf(memory.subarray(segmentAt));
  const { packed } = packOwnBytes(segmentKey(name, extent), { ...about }, memory, room);
  return { ...about, packed };
}

/** What is told of a segment in both of its objects. */
export function aboutOf(segment: Uint8Array | PackedSegment): Pick<About, 'sha256' | 'bytes'> {
  if ('packed' in segment) return { sha256: segment.sha256, bytes: segment.bytes };
  return { sha256: sha256(segment), bytes: segment.length };
}

/** Hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
