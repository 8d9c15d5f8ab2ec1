import { magicOf, longHeaderBytes, pageFlags, shortHeaderBytes, type SegmentFacts } from './segment.ts';

/** A record of the log, where it begins within the segment. The format: xlogrecord.h, XLogRecord. */
export interface RecordAt {
  readonly offset: number;
  /** Where the next one begins, or would. */
  readonly endOffset: number;
  readonly totalBytes: number;
  readonly xid: number;
  readonly manager: number;
  readonly info: number;
}

/** A record that the segment's end cuts in two. */
export interface Tail {
  readonly offset: number;
  readonly totalBytes: number;
  /** How much of it is in this segment. */
  readonly heldBytes: number;
}

/** The rest of a record that began before this segment. */
export interface Head {
  readonly restBytes: number;
  /** Where the first record of this segment begins; its end where there is none. */
  readonly endOffset: number;
}

export interface Walked {
  readonly head: Head | undefined;
  readonly tail: Tail | undefined;
  /** Of the first whole record that begins here: what it says where the one before began. */
  readonly firstPrevious: bigint | undefined;
  /** Where the last record that is valid in this segment begins, be it cut by its end. */
  readonly lastOffset: number | undefined;
  /** Up to here the log is valid. */
  readonly endOffset: number;
  /**
   * full: to the end of the bytes. switched: the rest was left empty on purpose. ended: nothing was written behind.
   * broken: what follows doesn't belong to it, as the remains of an older use of this file.
   */
  readonly how: 'full' | 'switched' | 'ended' | 'broken';
}

export const recordHeaderBytes = 24;
/** XLogRecordMaxSize is below. */
const mostRecordBytes = 2 ** 30;
const alignedTo8 = (offset: number): number => (offset + 7) & ~7;

/**
 * The pages of a segment, or of its beginning. Nothing is taken on trust: a page counts where its magic, its address and
 * its timeline are those of this log; in a segment that is used again the old ones follow the new.
 */
export class Pages {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly facts: SegmentFacts;
  /** Up to the last whole page. */
  readonly sizeBytes: number;
  readonly #magic: number | undefined;
  readonly #low: number;
  readonly #high: number;

  constructor(facts: SegmentFacts, bytes: Uint8Array) {
    this.bytes = bytes;
    this.facts = facts;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = Math.min(bytes.length, facts.segmentBytes);
    this.sizeBytes = size - (size % facts.pageBytes);
    this.#magic = magicOf(facts.major);
    this.#low = Number(facts.start & 0xffff_ffffn);
    this.#high = Number(facts.start >> 32n);
  }

  /** Whether the page that begins at `page` is one of this log. */
  isOurs(page: number): boolean {
    const { view, facts } = this;
    return (
      view.getUint16(page, true) === this.#magic &&
      view.getUint32(page + 8, true) === this.#low + page &&
      view.getUint32(page + 12, true) === this.#high &&
      view.getUint32(page + 4, true) <= facts.timeline
    );
  }

  flags(page: number): number {
    return this.view.getUint16(page + 2, true);
  }

  /** Of a record that began before this page; 0 where none did. */
  restBytes(page: number): number {
    return this.flags(page) & pageFlags.continuesRecord ? this.view.getUint32(page + 16, true) : 0;
  }

  headerBytes(page: number): number {
    return page === 0 ? longHeaderBytes : shortHeaderBytes;
  }

  /** Whether these two halves of a position are that of this offset. */
  isAt(offset: number, low: number, high: number): boolean {
    return low === this.#low + offset && high === this.#high;
  }

  /** Up to `most` bytes of a record from `offset` on, without the headers of pages between; fewer where the bytes end. */
  read(offset: number, most: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let [at, left] = [offset, most];
    while (left > 0 && at < this.sizeBytes) {
      const page = at - (at % this.facts.pageBytes);
      if (at === page) at += this.headerBytes(page);
      const part = this.bytes.subarray(at, Math.min(at + left, page + this.facts.pageBytes));
      parts.push(part);
      left -= part.length;
      at += part.length;
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  }
}

/** Where the rest of a record leads that goes on at the page `page`. */
type Spanned =
  | { readonly kind: 'end'; readonly offset: number }
  | { readonly kind: 'cut' }
  | { readonly kind: 'overwritten'; readonly page: number }
  | { readonly kind: 'broken' };

function span(pages: Pages, firstPage: number, restBytes: number): Spanned {
  const { pageBytes } = pages.facts;
  let rest = restBytes;
  for (let page = firstPage; page < pages.sizeBytes; page += pageBytes) {
    if (!pages.isOurs(page)) return { kind: 'broken' };
    if (pages.flags(page) & pageFlags.overwritesRecord && page !== 0) return { kind: 'overwritten', page };
    if (pages.restBytes(page) !== rest) return { kind: 'broken' };
    const begin = page + pages.headerBytes(page);
    const room = page + pageBytes - begin;
    if (rest <= room) return { kind: 'end', offset: alignedTo8(begin + rest) };
    rest -= room;
  }
  return { kind: 'cut' };
}

/** Calls `visit` with each whole record whose kind is wanted, in order, as far as the chain holds. CRCs aren't read. */
export function walkRecords(pages: Pages, wanted: Wanted, visit: (record: RecordAt) => void): Walked {
  const { sizeBytes } = pages;
  const none = { head: undefined, tail: undefined, firstPrevious: undefined, lastOffset: undefined };
  if (sizeBytes === 0 || !pages.isOurs(0)) return { ...none, endOffset: 0, how: 'broken' };
  const walk = new Walk(pages, wanted, visit);
  const restBytes = pages.restBytes(0);
  const rest: Spanned = restBytes === 0 ? { kind: 'end', offset: 0 } : span(pages, 0, restBytes);
  if (rest.kind === 'broken') return { ...none, endOffset: 0, how: 'broken' };
  if (rest.kind === 'overwritten') return { head: undefined, ...walk.from(rest.page) };
  if (rest.kind === 'cut')
    return { ...none, head: { restBytes, endOffset: sizeBytes }, endOffset: sizeBytes, how: 'full' };
  return { head: restBytes === 0 ? undefined : { restBytes, endOffset: rest.offset }, ...walk.from(rest.offset) };
}

type Ended = Omit<Walked, 'head'>;

type Wanted = (manager: number, info: number) => boolean;

/** XLOG_SWITCH of RM_XLOG_ID: after it the segment is empty. */
const switchInfo = 0x40;

class Walk {
  readonly #pages: Pages;
  readonly #wanted: Wanted;
  readonly #visit: (record: RecordAt) => void;
  #last: number | undefined;
  #firstPrevious: bigint | undefined;

  constructor(pages: Pages, wanted: Wanted, visit: (record: RecordAt) => void) {
    this.#pages = pages;
    this.#wanted = wanted;
    this.#visit = visit;
  }

  from(first: number): Ended {
    for (let at = first; ;) {
      const next = this.#step(at);
      if (typeof next !== 'number') return next;
      at = next;
    }
  }

  /** What stands at `at`, the beginning of a page or of a record: where the next one begins, or how the log ends. */
  #step(at: number): number | Ended {
    const { view, sizeBytes, facts } = this.#pages;
    if (at % facts.pageBytes === 0) {
      if (at >= sizeBytes) return this.#end(sizeBytes, 'full');
      if (!this.#pages.isOurs(at) || this.#pages.restBytes(at) !== 0) return this.#end(at, 'broken');
      at += this.#pages.headerBytes(at);
    }
    const totalBytes = view.getUint32(at, true);
    if (totalBytes === 0) return this.#end(at, 'ended');
    if (totalBytes < recordHeaderBytes || totalBytes > mostRecordBytes) return this.#end(at, 'broken');
    const pageEnd = at - (at % facts.pageBytes) + facts.pageBytes;
    if (at + totalBytes > pageEnd) return this.#spanning(at, totalBytes, pageEnd);
    return this.#record({ offset: at, totalBytes, endOffset: alignedTo8(at + totalBytes) }, view, at);
  }

  #spanning(offset: number, totalBytes: number, pageEnd: number): number | Ended {
    const spanned = span(this.#pages, pageEnd, totalBytes - (pageEnd - offset));
    if (spanned.kind === 'broken') return this.#end(offset, 'broken');
    if (spanned.kind === 'overwritten') return spanned.page;
    const { buffer, byteOffset, length } = this.#pages.read(offset, recordHeaderBytes);
    const header = new DataView(buffer, byteOffset, length);
    if (spanned.kind === 'cut') return this.#cut(offset, totalBytes, header);
    return this.#record({ offset, totalBytes, endOffset: spanned.offset }, header, 0);
  }

  /** A whole record, whose header stands in `view` at `at`. */
  #record(record: Pick<RecordAt, 'offset' | 'totalBytes' | 'endOffset'>, view: DataView, at: number): number | Ended {
    const { offset, endOffset } = record;
    if (!this.#follows(view.getUint32(at + 8, true), view.getUint32(at + 12, true), offset))
      return this.#end(offset, 'broken');
    const [info, manager] = [view.getUint8(at + 16), view.getUint8(at + 17)];
    this.#last = offset;
    if (this.#wanted(manager, info)) this.#visit({ ...record, xid: view.getUint32(at + 4, true), manager, info });
    return manager === 0 && (info & 0xf0) === switchInfo ? this.#end(endOffset, 'switched') : endOffset;
  }

  /** Whether a record at `offset` names the one before as its predecessor; of the first only that it is earlier. */
  #follows(low: number, high: number, offset: number): boolean {
    if (this.#last !== undefined) return this.#pages.isAt(this.#last, low, high);
    const previous = (BigInt(high) << 32n) | BigInt(low);
    if (previous >= this.#pages.facts.start + BigInt(offset)) return false;
    this.#firstPrevious = previous;
    return true;
  }

  #cut(offset: number, totalBytes: number, header: DataView): Ended {
    const hasPrevious = header.byteLength >= 16;
    if (hasPrevious && !this.#follows(header.getUint32(8, true), header.getUint32(12, true), offset))
      return this.#end(offset, 'broken');
    const heldBytes = this.#pages.read(offset, totalBytes).length;
    const [firstPrevious, endOffset] = [this.#firstPrevious, this.#pages.sizeBytes];
    return { tail: { offset, totalBytes, heldBytes }, firstPrevious, lastOffset: offset, endOffset, how: 'full' };
  }

  #end(endOffset: number, how: Walked['how']): Ended {
    return { tail: undefined, firstPrevious: this.#firstPrevious, lastOffset: this.#last, endOffset, how };
  }
}
