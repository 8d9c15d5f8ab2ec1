import type { History, Left } from '../log/log.ts';

/** An epoch was alive then, and written up to a position. Nanoseconds since 1970, as all times here. */
export interface Arrival {
  readonly epoch: number;
  readonly to: bigint;
  readonly timeNs: bigint;
  /** When that was stored, by the storage's clock: all up to there was written before. Undefined where nobody knows. */
  readonly storedNs?: bigint | undefined;
}

/** By what the epochs of a stream tell when they were alive; several places' stand one after the other. */
export interface Signs {
  /** Of each epoch what is held of it last, and whence it comes. */
  readonly arrived: readonly Arrival[];
  /** Sightings, with what they saw. */
  readonly seen: readonly Arrival[];
  /** Of which it was said that they were left. */
  readonly left: readonly Left[];
}

export const noSigns: Signs = { arrived: [], seen: [], left: [] };

export function togetherOf(signs: readonly Signs[]): Signs {
  return {
    arrived: signs.flatMap(({ arrived }) => arrived),
    seen: signs.flatMap(({ seen }) => seen),
    left: signs.flatMap(({ left }) => left),
  };
}

/**
 * The epoch that goes on: that which was alive last, by what arrived of it, sightings, and backups. It need not be that
 * with the highest number, for a cluster can be turned back to one that another was forked from. What an epoch wrote up to
 * a fork is as much its child's, and tells for neither against the other, nor does what was seen or backed up no further:
 * whatever a clock that ran ahead wrote upon it, it was before the fork. So it was before what stands behind it of the same
 * epoch was stored. One that was left goes on no more, unless something of it stands behind where it was left. Where
 * they tell the same it is the higher one. Undefined where nobody knows when anything arrived, or nothing tells.
 */
export function livingEpoch(
  histories: readonly History[],
  { arrived, seen, left }: Signs,
  backups: readonly Arrival[],
): number | undefined {
  if (arrived.length === 0) return undefined;
  const all = [...newestOfEach(arrived), ...[...seen, ...backups].map((one) => noLater(one, arrived))];
  const isOver = (epoch: number): boolean => isLeft(epoch, left, all);
  const forks = histories.filter(({ epoch }) => !isOver(epoch));
  const own = all.filter(({ epoch, to }) => !isOver(epoch) && !isShared(forks, epoch, to));
  return own.reduce<Arrival | undefined>(
    (last, one) => (last !== undefined && isBefore(one, last) ? last : one),
    undefined,
  )?.epoch;
}

/** One place may have been filled from another long afterwards: what counts is when its end was anywhere first. */
function newestOfEach(arrived: readonly Arrival[]): readonly Arrival[] {
  const newest = new Map<number, Arrival>();
  for (const one of arrived) {
    const known = newest.get(one.epoch);
    if (known === undefined || one.to > known.to || (one.to === known.to && one.timeNs < known.timeNs))
      newest.set(one.epoch, one);
  }
  return [...newest.values()];
}

/**
 * A clock may run ahead: what was seen or backed up stands before what was stored behind it. Not before what ends just there:
 * an idle server is sighted again and again where all of it has been stored long since.
 */
function noLater(one: Arrival, arrived: readonly Arrival[]): Arrival {
  const behind = arrived.filter(({ epoch, to }) => epoch === one.epoch && to > one.to);
  const times = [one.timeNs, ...behind.flatMap(({ storedNs }) => storedNs ?? [])];
  return { ...one, timeNs: times.reduce((least, timeNs) => (timeNs < least ? timeNs : least)) };
}

function isLeft(epoch: number, left: readonly Left[], all: readonly Arrival[]): boolean {
  return left.some((one) => one.epoch === epoch && all.every((sign) => sign.epoch !== epoch || sign.to <= one.at));
}

/** Whether an epoch that forks from it has all of it: its last segment is often stored after the child's history. */
function isShared(histories: readonly History[], epoch: number, to: bigint): boolean {
  return histories.some(({ parent, forkedAt }) => parent === epoch && to <= forkedAt);
}

function isBefore(a: Arrival, b: Arrival): boolean {
  return a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.epoch < b.epoch);
}
