import { crc32c } from '../../../bytes/crc32c.ts';
import type { SegmentFacts } from './segment.ts';
import { Pages, recordHeaderBytes, walkRecords, type RecordAt } from './walk.ts';

export interface Written {
  /** Whether all of it is written, or the rest left empty on purpose. */
  readonly isWhole: boolean;
  /** The first byte behind the last record that is written whole. */
  readonly end: bigint;
}

/** How far a segment is written. A record that a crash cut short is none: the server writes over it when it starts again. */
export function written(facts: SegmentFacts, bytes: Uint8Array): Written {
  const pages = new Pages(facts, bytes);
  let torn: number | undefined;
  const { how, endOffset } = walkRecords(
    pages,
    () => true,
    (record) => {
      if (torn === undefined && !isRight(pages, record)) torn = record.offset;
    },
  );
  const isWhole = torn === undefined && (how === 'full' || how === 'switched');
  return { isWhole, end: facts.start + BigInt(torn ?? endOffset) };
}

/** xlogreader.c, ValidXLogRecord: the CRC is of what follows the header, then of the header up to itself. */
function isRight(pages: Pages, { offset, totalBytes }: RecordAt): boolean {
  const bytes = pages.read(offset, totalBytes);
  if (bytes.length < totalBytes) return true; // the segment's end cuts it: the next one tells
  const crcAt = recordHeaderBytes - 4;
  const own = crc32c(crc32c(0, bytes.subarray(recordHeaderBytes)), bytes.subarray(0, crcAt));
  return own === new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(crcAt, true);
}
