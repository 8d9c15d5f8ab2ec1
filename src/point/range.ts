import { coverFrom, lineageOf, type Part } from '../log/cover.ts';
import type { Extent, History, Listing, Piece, Sighting } from '../log/log.ts';
import type { RecoverablePoint } from './point.ts';

/** A component's log of one stream, as one repository holds it. */
export interface HeldLog {
  readonly component: string;
  /** By its name in the policy. */
  readonly repository: string;
  readonly stream: string;
  readonly listing: Listing;
  readonly histories: readonly History[];
}

/** Any moment from where a base is consistent to where its log ends, in one epoch with those that it forks from. */
export interface RecoverableRange {
  readonly log: HeldLog;
  readonly epoch: number;
  /** The oldest backup from which all of it can be replayed. */
  readonly base: RecoverablePoint;
  readonly from: bigint;
  readonly to: bigint;
  /** The newest whole segment in it. */
  readonly newest: Extent | undefined;
  /** What holds its end. */
  readonly last: Extent | Piece;
}

/**
 * What can be brought back out of one log, as ranges of positions. One that ends where its epoch's parent goes on is its
 * parent's. Where a gap parts the log, each side with a base of its own is a range.
 */
export function rangesFrom(log: HeldLog, points: readonly RecoverablePoint[]): readonly RecoverableRange[] {
  const { segments, pieces } = log.listing;
  const epochs = new Set([...segments.map(({ epoch }) => epoch), ...pieces.map(({ segment }) => segment.epoch)]);
  return [...epochs].toSorted((a, b) => a - b).flatMap((epoch) => rangesOfEpoch(log, points, epoch));
}

function rangesOfEpoch(log: HeldLog, points: readonly RecoverablePoint[], epoch: number): readonly RecoverableRange[] {
  const lineage = lineageOf(epoch, log.histories);
  if (lineage === undefined) return [];
  const forkedAt = lineage.epochs[0]?.from ?? 0n;
  const holds = ({ epoch: at, to }: Extent): boolean =>
    lineage.epochs.some((one) => one.epoch === at && (one.to === undefined || to <= one.to));
  const ranges: RecoverableRange[] = [];
  const bases = points.flatMap((base) =>
    base.log?.stream === log.stream && holds(base.log) ? [{ base, at: base.log }] : [],
  );
  // Not by their dates: one that is dated ahead would hide what it alone leads to.
  for (const { base, at } of bases.toSorted((a, b) => (a.at.to < b.at.to ? -1 : 1))) {
    if (at.from < (ranges.at(-1)?.to ?? 0n)) continue;
    const { parts, to } = coverFrom(log.listing, lineage, at.from);
    const last = lastOf(parts.at(-1));
    if (to < at.to || to <= forkedAt || last === undefined) continue;
    const newest = parts.flatMap((part) => (part.held === 'segment' ? [part.extent] : [])).at(-1);
    ranges.push({ log, epoch, base, from: at.to, to, newest, last });
  }
  return ranges;
}

/** What can't be brought back was seen in vain: positions of another epoch are another log's. */
export function isReachable(
  { epoch, at }: Pick<Sighting, 'epoch' | 'at'>,
  ranges: readonly Pick<RecoverableRange, 'epoch' | 'from' | 'to'>[],
): boolean {
  return ranges.some((range) => range.epoch === epoch && range.from <= at && at <= range.to);
}

function lastOf(part: Part | undefined): Extent | Piece | undefined {
  return part?.held === 'pieces' ? part.pieces.at(-1) : part?.extent;
}
