import { coverFrom, lineageOf, type Lineage, type Part } from '../log/cover.ts';
import type { Extent, History, Listing } from '../log/log.ts';
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
  /** That to follow; the newest without it. */
  readonly epoch?: number | undefined;
}

/** What all repositories together hold of one stream. */
export interface StreamHeld {
  readonly stream: string;
  readonly listing: Listing;
  readonly histories: readonly History[];
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
}

/** Newest backup first; none where no history tells whence the epoch comes, or no backup is of its lineage. */
export function reachesOf(points: readonly RecoverablePoint[], held: StreamHeld, epoch?: number): readonly Reach[] {
  const bases = points.filter(isBase).filter(({ log }) => log.stream === held.stream);
  const wanted = epoch === undefined ? epochsOf(held, bases) : [epoch];
  for (const one of wanted) {
    const lineage = lineageOf(one, held.histories);
    const reaches = lineage === undefined ? [] : bases.flatMap((base) => reachFrom(base, held.listing, lineage));
    if (reaches.length > 0) return reaches.toReversed();
  }
  return [];
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
  return [{ base, lineage, from: to, ...cover }];
}

/** The newest backup before a position from which the log leads beyond it. */
export function planTo(reaches: readonly Reach[], position: bigint): MomentPlan | Unreachable {
  const reach = reaches.find(({ from, to }) => from <= position && position < to);
  if (reach !== undefined) return planBy(reach, position);
  const isBefore = reaches.every(({ from }) => from > position);
  return unreachable(reaches, position, isBefore ? 'no backup is as old' : 'the log does not lead there without a gap');
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
