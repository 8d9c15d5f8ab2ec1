import type { Extent, Noted } from '../../../log/log.ts';
import { segmentsOf } from '../lsn.ts';
import { notedOf } from '../wal/noted.ts';
import { segmentFacts } from '../wal/segment.ts';

/** What stands beside a whole segment of the log. 'source-failed' where its header is of another. */
export function notedSegment({ epoch, from, to }: Extent, bytes: Uint8Array): Noted {
  const [name = ''] = segmentsOf({ timeline: epoch, start: from, end: to }, Number(to - from));
  return notedOf(segmentFacts(name, bytes), bytes);
}
