import type { Extent, Listing } from './log.ts';

/** A backup from which the log can be replayed. */
export interface Base {
  readonly timeNs: bigint;
  /** Where its replay begins. */
  readonly epoch: number;
  readonly from: bigint;
}

export interface WindowPlan {
  /** What no moment within the window needs. */
  readonly remove: readonly Extent[];
  /** From where on the log stays: the base of the oldest moment of the window; undefined: everything does. */
  readonly from: Base | undefined;
}

/**
 * What a window of any moment no longer needs. Its oldest moment is replayed from the newest base before it: what is older
 * than that base's beginning goes, of that epoch and of those before it. Where no base is as old as the window, the oldest
 * of all is where replay can begin; without any base nothing goes, since one may be on its way. Older snapshots restore to
 * their own end with what they carry.
 */
export function planWindow(listing: Listing, bases: readonly Base[], oldestNs: bigint): WindowPlan {
  const before = bases.filter(({ timeNs }) => timeNs <= oldestNs);
  const byAge = (a: Base, b: Base): number => (a.timeNs < b.timeNs ? -1 : 1);
  const from = before.toSorted(byAge).at(-1) ?? bases.toSorted(byAge)[0];
  if (from === undefined) return { remove: [], from };
  const isPassed = ({ epoch, to }: Extent): boolean => epoch <= from.epoch && to <= from.from;
  const needed = bases.filter(({ timeNs }) => timeNs > oldestNs);
  const stays = (extent: Extent): boolean => needed.some((base) => extent.epoch >= base.epoch && extent.to > base.from);
  const all = [...listing.segments, ...listing.partials, ...listing.gaps];
  return { remove: all.filter((extent) => isPassed(extent) && !stays(extent)), from };
}
