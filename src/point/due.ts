import { coverFrom, lineageOf, type Lineage } from '../log/cover.ts';
import type { Extent, Listing } from '../log/log.ts';
import { rangesOf, type Range } from '../log/ranges.ts';
import { livingIn, type StreamHeld } from './moment.ts';
import { isKnownBad, type RecoverablePoint } from './point.ts';

/** Why what a log holds last can't be brought back. */
export interface DueBase {
  readonly epoch: number;
  /** What is held from here on without a hole follows no backup. */
  readonly since: bigint;
  /** What is missing between the last backup's reach and there; undefined where no backup leads into this epoch. */
  readonly gap: Extent | undefined;
}

/**
 * Whether the end of the epoch of a stream that goes on is out of reach of every backup: then a new one is due at once, for
 * nothing that is written from now on could be brought back; so it is behind a gap that was named, though nothing of what comes
 * then is held yet. A backup that is ahead of the log waits for it; one that was
 * found wrong reaches nowhere. Of an epoch of which nothing is held yet nothing can be lost.
 */
export function dueBase(held: StreamHeld, points: readonly RecoverablePoint[]): DueBase | undefined {
  const { stream, listing, histories } = held;
  const living =
    livingIn(held, points) ?? Math.max(...[...rangesOf(listing), ...listing.gaps].map(({ epoch }) => epoch));
  const newest = newestIn(listing, living);
  if (newest === undefined) return undefined;
  const { epoch, from: since, open: end } = newest;
  const lineage = lineageOf(epoch, histories);
  const bases = points.flatMap((point) => (point.log?.stream === stream && !isKnownBad(point) ? [point.log] : []));
  const reach = lineage === undefined ? -1n : reachOf(bases, listing, lineage);
  if (reach >= end) return undefined;
  return { epoch, since, gap: reach < 0n || reach >= since ? undefined : { epoch, from: reach, to: since } };
}

/** Where the last stretch of an epoch begins and ends: behind a gap that was named, though nothing may be held there yet. */
function newestIn(listing: Listing, epoch: number): Pick<Range, 'epoch' | 'from' | 'open'> | undefined {
  const ends = listing.gaps.map(({ epoch: of, to }) => ({ epoch: of, from: to, open: to }));
  return [...ends, ...rangesOf(listing)]
    .filter((one) => one.epoch === epoch)
    .reduce<Pick<Range, 'epoch' | 'from' | 'open'> | undefined>(
      (last, one) => (last === undefined || one.open >= last.open ? one : last),
      undefined,
    );
}

/** How far any of these leads; -1 where none is of the lineage. One that another leads to leads no further. */
function reachOf(bases: readonly Extent[], listing: Listing, lineage: Lineage): bigint {
  let reach = -1n;
  for (const { epoch, from, to } of bases.toSorted((a, b) => (a.to < b.to ? -1 : 1))) {
    const own = lineage.epochs.find((one) => one.epoch === epoch);
    if (to <= reach || own === undefined || (own.to !== undefined && to > own.to)) continue;
    const whole = coverFrom(listing, lineage, from).to;
    reach = whole >= to ? whole : coverFrom(listing, lineage, to).to;
  }
  return reach;
}
