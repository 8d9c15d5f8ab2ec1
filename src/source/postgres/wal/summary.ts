import type { SegmentFacts } from './segment.ts';
import { isTelling, readRecord, tellingBytes, type EndFact, type EventFact, type LogFact } from './record.ts';
import { Pages, recordHeaderBytes, walkRecords, type Head, type RecordAt, type Tail, type Walked } from './walk.ts';
import { xidRanges, type XidRanges } from './xid-ranges.ts';

/** Where the record that tells something stands: its first byte, and the first behind it. */
interface Place {
  readonly lsn: bigint;
  readonly endLsn: bigint;
}

export type Ending = EndFact & Place;
export type LogEvent = EventFact & Place;

/** Transactions that ended in a part of the log. Their times need not ascend: sessions write them side by side. */
export interface Endings {
  readonly count: number;
  /** In the order of the log. */
  readonly first: Ending;
  readonly last: Ending;
  readonly earliestNs: bigint;
  readonly latestNs: bigint;
  /** The last of them that committed. */
  readonly lastCommit: Ending | undefined;
  readonly committed: XidRanges;
}

/** A piece of a record that the segment's end cut in two; `bytes` are its first ones, as many as tell what it is. */
export interface CutRecord {
  readonly lsn: bigint;
  readonly totalBytes: number;
  /** How much of it is in this segment. */
  readonly heldBytes: number;
  readonly bytes: Uint8Array;
}

export interface RecordRest {
  readonly restBytes: number;
  readonly bytes: Uint8Array;
  readonly endLsn: bigint;
}

/** What a segment of the log, or its beginning, contains. */
export interface LogSummary {
  readonly start: bigint;
  /** Up to here the log is valid; of a whole segment its end. */
  readonly endLsn: bigint;
  /** Where the log goes on, be it in this segment or the next. */
  readonly how: Walked['how'];
  readonly endings: Endings | undefined;
  /** All else that it tells, in order; at most `mostEvents`. */
  readonly events: readonly LogEvent[];
  readonly eventsLeftOut: number;
  /** The rest of a record that began in the segment before. */
  readonly head: RecordRest | undefined;
  readonly tail: CutRecord | undefined;
  /** Where the first whole record says that its predecessor begins, and where the last one begins. */
  readonly firstPrevious: bigint | undefined;
  readonly lastLsn: bigint | undefined;
}

/** More than a log that isn't made to have as many has in a segment. */
export const mostEvents = 1000;
const mostXidRanges = 256;

/**
 * Reads a segment, or its beginning, to the end of its valid log. Never throws, whatever the bytes are: what is no log
 * ends it. A record that the segment's end cuts isn't told: `recordBetween` reads it from two neighbours.
 */
export function summarize(facts: SegmentFacts, bytes: Uint8Array): LogSummary {
  const pages = new Pages(facts, bytes);
  const gathered = new Gathered();
  const visit = (record: RecordAt): void => {
    const fact = readRecord({ ...record, major: facts.major, bytes: firstBytes(pages, record) });
    if (fact === undefined) return;
    const { offset, endOffset } = record;
    gathered.add(fact, facts.start + BigInt(offset), facts.start + BigInt(endOffset));
  };
  const walked = walkRecords(pages, isTelling, visit);
  const lsnAt = (offset: number): bigint => facts.start + BigInt(offset);
  return {
    start: facts.start,
    endLsn: lsnAt(walked.endOffset),
    how: walked.how,
    ...gathered.told(),
    head: walked.head && { ...restOf(pages, walked.head), endLsn: lsnAt(walked.head.endOffset) },
    tail: walked.tail && { ...cutOf(pages, walked.tail), lsn: lsnAt(walked.tail.offset) },
    firstPrevious: walked.firstPrevious,
    lastLsn: walked.lastOffset === undefined ? undefined : lsnAt(walked.lastOffset),
  };
}

function firstBytes(pages: Pages, { offset, totalBytes }: Pick<RecordAt, 'offset' | 'totalBytes'>): Uint8Array {
  return pages.read(offset, Math.min(totalBytes, tellingBytes));
}

function restOf(pages: Pages, { restBytes }: Head): Omit<RecordRest, 'endLsn'> {
  return { restBytes, bytes: pages.read(0, Math.min(restBytes, tellingBytes)).slice() };
}

function cutOf(pages: Pages, tail: Tail): Omit<CutRecord, 'lsn'> {
  const { totalBytes, heldBytes } = tail;
  const bytes = firstBytes(pages, tail);
  const [info = 0, manager = 0] = bytes.subarray(16, 18);
  const tellsNothing = bytes.length >= 18 && !isTelling(manager, info);
  return { totalBytes, heldBytes, bytes: tellsNothing ? new Uint8Array() : bytes.slice() };
}

/** What the record tells that begins in a segment and ends in the next; undefined: none does, or it tells nothing. */
export function recordBetween(before: LogSummary, after: LogSummary, major: number): Ending | LogEvent | undefined {
  const { tail } = before;
  const { head } = after;
  if (tail === undefined || head?.restBytes !== tail.totalBytes - tail.heldBytes) return undefined;
  const isAllHere = tail.bytes.length === tail.heldBytes;
  const bytes = isAllHere ? Buffer.concat([tail.bytes, head.bytes]) : tail.bytes;
  if (bytes.length < recordHeaderBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [xid, info, manager] = [view.getUint32(4, true), view.getUint8(16), view.getUint8(17)];
  const fact = isTelling(manager, info) ? readRecord({ major, manager, info, xid, bytes }) : undefined;
  return fact && { ...fact, lsn: tail.lsn, endLsn: head.endLsn };
}

function isEnd(fact: LogFact): fact is EndFact {
  return fact.kind === 'commit' || fact.kind === 'abort';
}

class Gathered {
  readonly #committed: number[] = [];
  readonly #events: LogEvent[] = [];
  #leftOut = 0;
  #count = 0;
  #first: Ending | undefined;
  #last: Ending | undefined;
  #lastCommit: Ending | undefined;
  #earliestNs = 0n;
  #latestNs = 0n;

  add(fact: LogFact, lsn: bigint, endLsn: bigint): void {
    if (isEnd(fact)) this.#end({ ...fact, lsn, endLsn });
    else if (this.#events.length < mostEvents) this.#events.push({ ...fact, lsn, endLsn });
    else this.#leftOut++;
  }

  #end(ending: Ending): void {
    this.#first ??= ending;
    this.#last = ending;
    if (this.#count++ === 0 || ending.timeNs < this.#earliestNs) this.#earliestNs = ending.timeNs;
    if (this.#count === 1 || ending.timeNs > this.#latestNs) this.#latestNs = ending.timeNs;
    if (ending.kind === 'abort') return;
    this.#lastCommit = ending;
    if (ending.xid !== 0) this.#committed.push(ending.xid);
  }

  told(): Pick<LogSummary, 'endings' | 'events' | 'eventsLeftOut'> {
    const rest = { events: this.#events, eventsLeftOut: this.#leftOut };
    const [first, last, lastCommit] = [this.#first, this.#last, this.#lastCommit];
    if (first === undefined || last === undefined) return { ...rest, endings: undefined };
    const [earliestNs, latestNs] = [this.#earliestNs, this.#latestNs];
    const committed = xidRanges(this.#committed, mostXidRanges);
    return { ...rest, endings: { count: this.#count, first, last, lastCommit, earliestNs, latestNs, committed } };
  }
}
