import type { Extent, History, Listing, Piece } from './log.ts';

/** An epoch with its ancestors. */
export interface Lineage {
  /** Newest first; each holds from `from` (its fork) up to `to` (that of its child; undefined for the newest). */
  readonly epochs: readonly { readonly epoch: number; readonly from: bigint; readonly to: bigint | undefined }[];
}

/** Undefined where a history on the way is not held: nobody can tell whence the epoch comes. */
export function lineageOf(epoch: number, histories: readonly History[]): Lineage | undefined {
  const epochs: { epoch: number; from: bigint; to: bigint | undefined }[] = [];
  let [next, to]: [number, bigint | undefined] = [epoch, undefined];
  for (;;) {
    const history = histories.find((one) => one.epoch === next);
    if (history === undefined && next !== 1) return undefined;
    epochs.push({ epoch: next, from: history?.forkedAt ?? 0n, to });
    if (history === undefined) return { epochs };
    if (history.parent >= next) return undefined; // a loop is no lineage
    [next, to] = [history.parent, history.forkedAt];
  }
}

/** What replays a stretch of the log, in its order. */
export type Part =
  | { readonly held: 'segment'; readonly extent: Extent }
  /** Whole up to `to`; the segment is longer. */
  | { readonly held: 'pieces'; readonly segment: Extent; readonly pieces: readonly Piece[] };

export interface Cover {
  readonly parts: readonly Part[];
  /** Up to where nothing is missing. */
  readonly to: bigint;
}

/**
 * What holds the log of a lineage from a position on, up to the first that nothing holds. Where an epoch forks within a
 * segment, the new epoch's first segment repeats what its parent wrote up to there, so that either holds it; the newer one
 * is taken, as the server takes it. A gap that an object names ends it as any other does.
 */
export function coverFrom(listing: Listing, { epochs }: Lineage, from: bigint): Cover {
  const parts: Part[] = [];
  let at = from;
  for (;;) {
    const [next] = epochs.flatMap((epoch) => partAt(listing, epoch, at) ?? []);
    if (next === undefined) return { parts, to: at };
    parts.push(next.part);
    at = next.end;
    if (next.part.held === 'pieces') return { parts, to: at };
  }
}

function endOf(part: Part): bigint {
  return part.held === 'segment' ? part.extent.to : (part.pieces.at(-1)?.to ?? part.segment.from);
}

/**
 * What holds a position for an epoch, and up to where. A segment counts from where the epoch forks, what it holds before
 * that is its parent's; and up to where the next forks: what stands behind that in the same segment is no part of it.
 */
function partAt(
  listing: Listing,
  { epoch, from, to }: Lineage['epochs'][number],
  at: bigint,
): { readonly part: Part; readonly end: bigint } | undefined {
  if (to !== undefined && at >= to) return undefined;
  const extent = segmentAt(listing.segments, epoch, at);
  const part = extent === undefined ? piecesAt(listing.pieces, epoch, at) : ({ held: 'segment', extent } as const);
  if (part === undefined || (part.held === 'segment' ? part.extent : part.segment).to <= from) return undefined;
  const end = endOf(part);
  return { part, end: to !== undefined && to < end ? to : end };
}

/** Binary search: a window of a busy cluster has 100,000 segments. */
function segmentAt(segments: readonly Extent[], epoch: number, at: bigint): Extent | undefined {
  let [low, high] = [0, segments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = segments[middle];
    if (one !== undefined && (one.epoch < epoch || (one.epoch === epoch && one.to <= at))) low = middle + 1;
    else high = middle;
  }
  const found = segments[low];
  return found?.epoch === epoch && found.from <= at ? found : undefined;
}

/** Those that together hold a segment from its beginning on, as far as they reach beyond a position. */
export function piecesAt(pieces: readonly Piece[], epoch: number, at: bigint): Part | undefined {
  const of = pieces.filter(({ segment }) => segment.epoch === epoch && segment.from <= at && at < segment.to);
  const [first] = of;
  if (first === undefined) return undefined;
  const chain: Piece[] = [];
  let end = first.segment.from;
  for (;;) {
    const next = of.filter((one) => one.from <= end && one.to > end).toSorted((a, b) => Number(b.to - a.to))[0];
    if (next === undefined) break;
    chain.push(next);
    end = next.to;
  }
  return end > at ? { held: 'pieces', segment: first.segment, pieces: chain } : undefined;
}
