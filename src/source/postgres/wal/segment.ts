import { HoldfastError } from '../../../errors/error.ts';

/** What a segment of the log says of itself, and what its name says. */
export interface SegmentFacts {
  /** 24 hex digits, without `.partial`. */
  readonly name: string;
  readonly kind: 'whole' | 'partial';
  readonly major: number;
  /** Of the cluster that wrote it: a copy has the same. */
  readonly systemIdentifier: bigint;
  readonly segmentBytes: number;
  readonly pageBytes: number;
  /** Of its name. The first segment of a timeline begins with pages of the one before. */
  readonly timeline: number;
  /** Its first byte in the log. */
  readonly start: bigint;
  /** The first byte behind it. */
  readonly end: bigint;
}

export interface SegmentName {
  readonly timeline: number;
  /** The name's other two parts: which they are in bytes depends on the size of a segment. */
  readonly high: number;
  readonly low: number;
  readonly kind: SegmentFacts['kind'];
}

/** undefined: not the name of a segment. */
export function parseSegmentName(name: string): SegmentName | undefined {
  const match = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(\.partial)?$/.exec(name);
  if (match === null) return undefined;
  const [timeline = 0, high = 0, low = 0] = match.slice(1, 4).map((part) => Number.parseInt(part, 16));
  return { timeline, high, low, kind: match[4] === undefined ? 'whole' : 'partial' };
}

/** The first byte of a segment in the log: XLogFromFileName. */
export function segmentStart({ high, low }: SegmentName, segmentBytes: number): bigint {
  return (BigInt(high) << 32n) + BigInt(low) * BigInt(segmentBytes);
}

/** Bytes of the long header that the first page of each segment has: XLogLongPageHeaderData. */
export const longHeaderBytes = 40;
/** Of every other page: XLogPageHeaderData. */
export const shortHeaderBytes = 24;

/** XLOG_PAGE_MAGIC of each major. */
const majors: ReadonlyMap<number, number> = new Map([
  [0xd10d, 14],
  [0xd110, 15],
  [0xd113, 16],
  [0xd116, 17],
  [0xd118, 18],
]);

/** The magic of each page of a major's log. */
export function magicOf(major: number): number | undefined {
  return [...majors].find(([, one]) => one === major)?.[0];
}

export const pageFlags = { continuesRecord: 1, longHeader: 2, overwritesRecord: 8 } as const;

/**
 * Reads the header of a segment and holds it against the file's name and size. `bytes` may be the beginning alone, of a
 * file of `sizeBytes`. 'source-failed', with what is wrong, where it isn't a whole segment of a major that is known.
 */
export function segmentFacts(name: string, bytes: Uint8Array, sizeBytes: number = bytes.length): SegmentFacts {
  const named = parseSegmentName(name);
  if (named === undefined) throw wrong(name, 'is not named as a segment of the log');
  if (bytes.length < longHeaderBytes) throw wrong(name, `is cut off: it has ${sizeBytes} bytes`);
  if (bytes.subarray(0, longHeaderBytes).every((byte) => byte === 0)) throw wrong(name, 'is filled with zeros');
  const header = readLongHeader(name, bytes);
  const { segmentBytes } = header;
  if (sizeBytes !== segmentBytes)
    throw wrong(name, `has ${sizeBytes} bytes, and segments of this log have ${segmentBytes}`);
  const start = segmentStart(named, segmentBytes);
  if (header.address !== start || BigInt(named.low) * BigInt(segmentBytes) >= 1n << 32n)
    throw wrong(name, `holds another part of the log, from ${header.address.toString(16)} on: it was renamed`);
  if (header.timeline > named.timeline || header.timeline === 0)
    throw wrong(name, `is of timeline ${header.timeline}, later than its name says`);
  const { major, systemIdentifier, pageBytes } = header;
  const { timeline, kind } = named;
  const end = start + BigInt(segmentBytes);
  return { name: name.slice(0, 24), kind, major, systemIdentifier, segmentBytes, pageBytes, timeline, start, end };
}

interface LongHeader extends Pick<SegmentFacts, 'major' | 'systemIdentifier' | 'segmentBytes' | 'pageBytes'> {
  readonly timeline: number;
  readonly address: bigint;
}

function readLongHeader(name: string, bytes: Uint8Array): LongHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, longHeaderBytes);
  const magic = view.getUint16(0, true);
  const major = majors.get(magic);
  if (major === undefined)
    throw wrong(
      name,
      `is no log of PostgreSQL ${[...majors.values()].join(', ')} (its magic is ${magic.toString(16)})`,
    );
  const [segmentBytes, pageBytes] = [view.getUint32(32, true), view.getUint32(36, true)];
  const isLong = (view.getUint16(2, true) & pageFlags.longHeader) !== 0;
  if (!isLong || !isPowerOf2(segmentBytes, 2 ** 20, 2 ** 30) || !isPowerOf2(pageBytes, 2 ** 10, 2 ** 16))
    throw wrong(name, 'has a header that no segment begins with');
  return {
    major,
    timeline: view.getUint32(4, true),
    address: view.getBigUint64(8, true),
    systemIdentifier: view.getBigUint64(24, true),
    segmentBytes,
    pageBytes,
  };
}

function isPowerOf2(value: number, least: number, most: number): boolean {
  return value >= least && value <= most && (value & (value - 1)) === 0;
}

function wrong(name: string, what: string): HoldfastError {
  return new HoldfastError('source-failed', `the log's file ${name} ${what}`, {
    next: 'Nothing was stored under its name. See whether this file is whole, and one of this cluster.',
  });
}
