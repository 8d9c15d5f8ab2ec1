import { segmentsOf } from '../lsn.ts';

export type WalFile =
  | { readonly kind: 'segment'; readonly epoch: number; readonly from: bigint }
  | { readonly kind: 'history'; readonly epoch: number }
  /** Of which a log holds none. */
  | { readonly kind: 'other' };

/** A file as a server asks for it by name. */
export function walFileOf(name: string, segmentBytes: number): WalFile {
  const [, epoch, high, low] = /^([0-9A-F]{8})(?:([0-9A-F]{8})([0-9A-F]{8})|\.history)$/.exec(name) ?? [];
  if (epoch === undefined) return { kind: 'other' };
  const timeline = Number.parseInt(epoch, 16);
  if (high === undefined || low === undefined) return { kind: 'history', epoch: timeline };
  const from = (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`) * BigInt(segmentBytes);
  return { kind: 'segment', epoch: timeline, from };
}

export function segmentNameAt(timeline: number, from: bigint, segmentBytes: number): string {
  return segmentsOf({ timeline, start: from, end: from + 1n }, segmentBytes)[0] ?? '';
}
