import type { Extent, Listing } from './log.ts';
import { piecesAt } from './cover.ts';

/** A stretch of one epoch without a hole. */
export interface Range extends Extent {
  /** How many segments it has. */
  readonly segments: number;
  /** Where the pieces of the segment behind it end; `to` where there are none. */
  readonly open: bigint;
}

/** In the order of epochs and positions; between two of an epoch is a gap. */
export function rangesOf(listing: Listing): readonly Range[] {
  const ranges: Range[] = [];
  for (const { epoch, from, to } of listing.segments) {
    const last = ranges.at(-1);
    if (last?.epoch === epoch && last.to >= from)
      ranges[ranges.length - 1] = { ...last, to, segments: last.segments + 1 };
    else ranges.push({ epoch, from, to, segments: 1, open: to });
  }
  return [
    ...ranges.map((range) => ({ ...range, open: openEnd(listing, range.epoch, range.to) })),
    ...onlyOpen(listing),
  ];
}

/** The newest gap that an object names, of which something is missing still: what was said to be lost may come after all. */
export function lastNamedGap(listing: Listing): Extent | undefined {
  const ranges = rangesOf(listing);
  const isFilled = ({ epoch, from, to }: Extent): boolean =>
    ranges.some((range) => range.epoch === epoch && range.from <= from && range.to >= to);
  return listing.gaps.findLast((gap) => !isFilled(gap));
}

function openEnd({ pieces }: Listing, epoch: number, at: bigint): bigint {
  const part = piecesAt(pieces, epoch, at);
  return part?.held === 'pieces' ? (part.pieces.at(-1)?.to ?? at) : at;
}

/** A log that has just begun has pieces and no segment. */
function onlyOpen(listing: Listing): readonly Range[] {
  const epochs = new Set(listing.pieces.map(({ segment }) => segment.epoch));
  const bare = [...epochs].filter((epoch) => !listing.segments.some((one) => one.epoch === epoch));
  return bare.flatMap((epoch) => {
    const from = listing.pieces.find(({ segment }) => segment.epoch === epoch)?.segment.from ?? 0n;
    const open = openEnd(listing, epoch, from);
    return open > from ? [{ epoch, from, to: from, segments: 0, open }] : [];
  });
}

/** Up to where an epoch is held without a hole, from the newest range on; undefined where nothing of it is. */
export function durableEnd(listing: Listing, epoch: number): bigint | undefined {
  return rangesOf(listing).findLast((range) => range.epoch === epoch)?.open;
}
