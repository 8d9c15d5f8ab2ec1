import { coverFrom, lineageOf, type Lineage, type Part } from '../log/cover.ts';
import type { Extent, History, Listing } from '../log/log.ts';
import { livingEpoch, type Signs } from './living.ts';
import type { RecoverablePoint } from './point.ts';

/** A moment between backups, to which the log is replayed. */
export type Moment =
  /** Nanoseconds since 1970. Sessions commit side by side, so that times need not ascend: the first one beyond ends it. */
  | { readonly kind: 'time'; readonly timeNs: bigint }
  | { readonly kind: 'position'; readonly at: bigint }
  | { readonly kind: 'transaction'; readonly id: number }
  /** The first with that name behind the backup. */
  | { readonly kind: 'name'; readonly name: string }
  /** All that there is. */
  | { readonly kind: 'latest' }
  /** Where the newest backup is consistent. */
  | { readonly kind: 'consistent' };

export interface MomentAsked {
  readonly moment: Moment;
  /** Whether what is exactly there is brought back too. */
  readonly edge: 'included' | 'excluded';
  /** That to follow; the one that goes on without it. */
  readonly epoch?: number | undefined;
}

/** What all repositories together hold of one stream. */
export interface StreamHeld {
  readonly stream: string;
  readonly listing: Listing;
  readonly histories: readonly History[];
  readonly signs: Signs;
}

export type Base = RecoverablePoint & { readonly log: Extent & { readonly stream: string } };

/** By which backup and which log a moment is brought back. */
export interface MomentPlan {
  readonly kind: 'reachable';
  readonly base: Base;
  readonly lineage: Lineage;
  /** What is replayed, from the backup's beginning on. */
  readonly parts: readonly Part[];
  /** Up to where the log is held without a hole. */
  readonly to: bigint;
}

export interface Unreachable {
  readonly kind: 'unreachable';
  readonly reason: string;
  /** The nearest that can be brought back. */
  readonly before: Stop | undefined;
  readonly after: Stop | undefined;
  /** No log follows the backups before it: the end of one of them is all there is of that time. */
  readonly only?: 'snapshots';
}

/** Whether it may stand in what was written behind all that is held: there is no gap before it, and it isn’t too old. */
export function mayBeNewer({ kind }: Moment, { before, after }: Unreachable): boolean {
  if (before === undefined || kind === 'latest' || kind === 'consistent') return false;
  return after === undefined || kind === 'name' || kind === 'transaction';
}

/** A place in the log. */
export interface Stop {
  readonly at: bigint;
  /** Nanoseconds since 1970, by the server's clock. */
  readonly timeNs: bigint | undefined;
}

/** A backup, and how far the log leads from it. */
export interface Reach extends Omit<MomentPlan, 'kind'> {
  /** Where it is consistent: nothing before can be brought back by it. */
  readonly from: bigint;
  /** What stands just before the backup's beginning: a little, to be asked what was done before it. */
  readonly before?: readonly Part[];
}

/** Which epoch is followed where none is asked for: the first of these that a backup leads to. */
export interface Preferred {
  /** That of what stands in the place of what is brought back. */
  readonly standing?: number | undefined;
  /** That which goes on. */
  readonly living?: number | undefined;
}

/**
 * Newest backup first, by where it stands in the log and not by the clock of who made it; none where no history tells whence the epoch comes, or no backup is of its lineage. Without an epoch
 * that which is preferred; else that which the newest backup is of, and of those the newest: one that was left before is
 * none that lives.
 */
export function reachesOf(
  points: readonly RecoverablePoint[],
  held: StreamHeld,
  { epoch, standing, living }: Preferred & Pick<MomentAsked, 'epoch'> = {},
): readonly Reach[] {
  const bases = basesIn(points, held.stream);
  if (epoch !== undefined) return reachesIn(epoch, bases, held);
  for (const one of [standing, living]) {
    const reaches = one === undefined ? [] : reachesIn(one, bases, held);
    if (reaches.length > 0) return reaches;
  }
  const all = epochsOf(held, bases).map((one) => reachesIn(one, bases, held));
  const led = all.filter(({ length }) => length > 0);
  return led.find(([newest]) => newest?.base === bases.at(-1)) ?? led[0] ?? [];
}

/** The epoch of a stream that goes on, by all that is known of it; undefined where nothing is dated. */
export function livingIn(
  { stream, histories, signs }: Pick<StreamHeld, 'stream' | 'histories' | 'signs'>,
  points: readonly RecoverablePoint[],
): number | undefined {
  const backups = basesIn(points, stream).map(({ log: { epoch, to }, timeNs, endNs = timeNs }) => ({
    epoch,
    to,
    timeNs: endNs > timeNs ? endNs : timeNs,
  }));
  return livingEpoch(histories, signs, backups);
}

function basesIn(points: readonly RecoverablePoint[], stream: string): readonly Base[] {
  return points.filter(isBase).filter(({ log }) => log.stream === stream);
}

function reachesIn(epoch: number, bases: readonly Base[], { listing, histories }: StreamHeld): readonly Reach[] {
  const lineage = lineageOf(epoch, histories);
  if (lineage === undefined) return [];
  const reaches = bases.toReversed().flatMap((base) => reachFrom(base, listing, lineage));
  return reaches.toSorted((a, b) => descending(a.from, b.from));
}

function isBase(point: RecoverablePoint): point is Base {
  return point.log !== undefined;
}

/** Newest first. */
function epochsOf({ listing, histories }: StreamHeld, bases: readonly Base[]): readonly number[] {
  const named = [...listing.segments.map(({ epoch }) => epoch), ...listing.pieces.map(({ segment }) => segment.epoch)];
  const all = [...named, ...histories.map(({ epoch }) => epoch), ...bases.map(({ log }) => log.epoch)];
  return [...new Set(all)].toSorted((a, b) => b - a);
}

/** A backup that ended behind a fork is none of the fork's. What a snapshot carries of the log need not be held elsewhere. */
function reachFrom(base: Base, listing: Listing, lineage: Lineage): readonly Reach[] {
  const { epoch, from, to } = base.log;
  const own = lineage.epochs.find((one) => one.epoch === epoch);
  if (own === undefined || (own.to !== undefined && to > own.to)) return [];
  const whole = coverFrom(listing, lineage, from);
  const cover = whole.to >= to ? whole : coverFrom(listing, lineage, to);
  const begin = cover.parts[0] === undefined ? from : extentOf(cover.parts[0]).from;
  return [{ base, lineage, from: to, ...cover, before: partsBefore(begin, listing, lineage) }];
}

const mostBefore = 4;

/** Segment before segment, as far as they join. */
function partsBefore(position: bigint, { segments }: Listing, { epochs }: Lineage): readonly Part[] {
  const parts: Part[] = [];
  for (let to = position; parts.length < mostBefore;) {
    const extent = segments.findLast(
      (one) => one.to === to && epochs.some(({ epoch, from }) => epoch === one.epoch && from < to),
    );
    if (extent === undefined) break;
    parts.unshift({ held: 'segment', extent });
    to = extent.from;
  }
  return parts;
}

/** The newest backup before a position from which the log leads beyond it. */
export function planTo(reaches: readonly Reach[], position: bigint): MomentPlan | Unreachable {
  const reach = reaches.find(({ from, to }) => from <= position && position < to);
  if (reach !== undefined) return planBy(reach, position);
  const isBefore = reaches.every(({ from }) => from > position);
  return unreachable(
    reaches,
    position,
    isBefore ? 'no backup is as old' : 'the log does not lead there: it ends, or has a gap, before it',
  );
}

/** With the nearest positions on either side. */
export function unreachable(reaches: readonly Reach[], position: bigint, reason: string): Unreachable {
  const ends = reaches.filter(({ from }) => from <= position).map(({ to }) => to);
  const begins = reaches.filter(({ from }) => from > position).map(({ from }) => from);
  const [before, after] = [ends.toSorted(descending)[0], begins.toSorted(descending).at(-1)];
  return { kind: 'unreachable', reason, before: stopAt(before), after: stopAt(after) };
}

const stopAt = (at: bigint | undefined): Stop | undefined => (at === undefined ? undefined : { at, timeNs: undefined });

/** All that follows the newest backup. */
export function planLatest([newest]: readonly Reach[]): MomentPlan | Unreachable {
  return newest === undefined ? noBackup : planBy(newest, newest.to);
}

export const noBackup: Unreachable = {
  kind: 'unreachable',
  reason: 'no backup of this timeline says where it stands in the log',
  before: undefined,
  after: undefined,
};

/** Where the newest backup is consistent, for which it carries what it needs. */
export function planConsistent(reaches: readonly Reach[]): MomentPlan | Unreachable {
  const plan = planLatest(reaches);
  return plan.kind === 'reachable' ? { ...plan, parts: [], to: plan.base.log.to } : plan;
}

/** What comes behind the part that holds a position is not read. */
export function planBy({ base, lineage, parts, to }: Reach, position: bigint): MomentPlan {
  const needed = parts.filter((part) => extentOf(part).from <= position);
  return { kind: 'reachable', base, lineage, parts: needed, to };
}

export function extentOf(part: Part): Extent {
  return part.held === 'segment' ? part.extent : part.segment;
}

function descending(a: bigint, b: bigint): number {
  return a > b ? -1 : a < b ? 1 : 0;
}
