import { readRecord, isTelling, tellingBytes, type EndFact } from '../wal/record.ts';
import type { SegmentFacts } from '../wal/segment.ts';
import { Pages, walkRecords } from '../wal/walk.ts';

export interface EndingAt extends EndFact {
  readonly lsn: bigint;
}

/** Each transaction that ends in a segment, in its order, but one whose end the segment's own end cuts in two. */
export function endingsIn(facts: SegmentFacts, bytes: Uint8Array): readonly EndingAt[] {
  const pages = new Pages(facts, bytes);
  const endings: EndingAt[] = [];
  walkRecords(pages, isTelling, (record) => {
    const first = pages.read(record.offset, Math.min(record.totalBytes, tellingBytes));
    const fact = readRecord({ ...record, major: facts.major, bytes: first });
    if (fact?.kind === 'commit' || fact?.kind === 'abort')
      endings.push({ ...fact, lsn: facts.start + BigInt(record.offset) });
  });
  return endings;
}

/** Where the last record begins that is whole in a segment, or in as much of it as is held. */
export function lastWholeIn(facts: SegmentFacts, bytes: Uint8Array): bigint | undefined {
  let last: bigint | undefined;
  const all = (): boolean => true;
  walkRecords(new Pages(facts, bytes), all, ({ offset }) => (last = facts.start + BigInt(offset)));
  return last;
}
