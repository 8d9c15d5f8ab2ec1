import { piecesAt, type Lineage } from '../../../log/cover.ts';
import type { Extent, Listing, Piece } from '../../../log/log.ts';
import { durableEnd } from '../../../log/ranges.ts';

/**
 * Up to where a place holds the log of a lineage, from its newest range on; what was told to be lost doesn't hold it up.
 * undefined: it holds nothing of it.
 */
export function reachedIn(listing: Listing, { epochs }: Lineage): bigint | undefined {
  const ends = epochs.flatMap(({ epoch, to }) => {
    const end = beyondGaps(listing, epoch, durableEnd(listing, epoch));
    if (end === undefined) return [];
    return [to === undefined || end < to ? end : to];
  });
  return ends.toSorted((a, b) => (a < b ? -1 : 1)).at(-1);
}

function beyondGaps({ gaps }: Listing, epoch: number, end: bigint | undefined): bigint | undefined {
  let at = end;
  for (const gap of gaps) if (gap.epoch === epoch && at !== undefined && gap.from <= at && gap.to > at) at = gap.to;
  return at;
}

/** Where the pieces of a segment end that follow one another from its beginning on. */
export function chainEnd(pieces: readonly Piece[], { epoch, from }: Extent): bigint {
  const part = piecesAt(pieces, epoch, from);
  return part?.held === 'pieces' ? (part.pieces.at(-1)?.to ?? from) : from;
}

/** The pieces of a segment. */
export function piecesOf(pieces: readonly Piece[], { epoch, from }: Extent): readonly Piece[] {
  return pieces.filter(({ segment }) => segment.epoch === epoch && segment.from === from);
}

/** Those of segments that are whole: a kill came before they were removed. */
export function leftOver({ pieces, segments }: Listing): readonly Piece[] {
  return pieces.filter(({ segment: { epoch, from } }) =>
    segments.some((one) => one.epoch === epoch && one.from === from),
  );
}
