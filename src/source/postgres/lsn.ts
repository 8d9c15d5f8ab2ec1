import { HoldfastError } from '../../errors/error.ts';

/** A position in the log (LSN), bytes from its beginning, as the server writes it: `16/B374D848`. */
export function parseLsn(text: string): bigint {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text) ?? [];
  if (high === undefined || low === undefined)
    throw new HoldfastError('source-failed', `the server gave ${JSON.stringify(text)} as a position in its log`);
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export function lsnText(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase();
}

export interface WalRange {
  readonly timeline: number;
  readonly start: bigint;
  /** The first byte that is not needed any more. */
  readonly end: bigint;
}

/** The names of the segments that hold a range, in order. `segmentBytes` is a power of two, 16 MiB unless chosen otherwise. */
export function segmentsOf({ timeline, start, end }: WalRange, segmentBytes: number): readonly string[] {
  const size = BigInt(segmentBytes);
  const names: string[] = [];
  for (let number = start / size; number * size < end; number++) names.push(segmentName(timeline, number, size));
  return names;
}

/** Timeline, then the segment's number in two parts, each 8 hex digits: xlog_internal.h, XLogFileName. */
function segmentName(timeline: number, number: bigint, segmentBytes: bigint): string {
  const perPart = 0x1_0000_0000n / segmentBytes;
  const parts = [BigInt(timeline), number / perPart, number % perPart];
  return parts.map((part) => part.toString(16).toUpperCase().padStart(8, '0')).join('');
}
