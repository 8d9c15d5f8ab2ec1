import { coverFrom, lineageOf, type Lineage } from './cover.ts';
import type { Extent, History, Listing, Piece } from './log.ts';

/** A backup from which the log can be replayed. */
export interface Base {
  /** When it was complete: it brings back no moment before that. Nanoseconds since 1970, as all times here. */
  readonly timeNs: bigint;
  readonly epoch: number;
  /** Where its replay begins. */
  readonly from: bigint;
  /** Where it is consistent. */
  readonly to: bigint;
}

/** What is known of one stream in one place. */
export interface StreamFacts {
  readonly listing: Listing;
  readonly histories: readonly History[];
  /** When an epoch that goes on no more was last stored; undefined of any other, and where nobody knows. */
  readonly endedNs: (epoch: number) => bigint | undefined;
}

export interface Window {
  readonly nowNs: bigint;
  readonly lengthNs: bigint;
  /** What is dated before that was stamped by a clock that had been reset. */
  readonly earliestNs?: bigint;
}

export interface WindowPlan {
  /** What no moment of the window needs. */
  readonly remove: readonly Extent[];
  readonly pieces: readonly Piece[];
  /** Nothing goes, for it isn't held whence these come. */
  readonly lacking: readonly number[];
}

/** One way along which moments of the window are replayed. */
interface Line {
  readonly lineage: Lineage;
  /** When each base of it was complete; by its place in the log where its date can't be right. */
  readonly times: ReadonlyMap<Base, bigint>;
  /** That of the window's oldest moment; undefined where none is as old. */
  readonly root: Base | undefined;
  /** Within the window, in the order of positions. */
  readonly younger: readonly Base[];
}

/**
 * What a window of any moment no longer needs. Along each way that the log leads within the window, its oldest moment is
 * replayed from the newest base before it: what is older than that base's beginning goes, as does the end of an epoch
 * that was left before the window began. Where no base is as old as the window, the oldest of all is where replay can
 * begin; without any base nothing goes, since one may be on its way, nor where it isn't known whence an epoch comes.
 * Older snapshots restore to their own end with what they carry.
 */
export function planWindow(facts: StreamFacts, bases: readonly Base[], window: Window): WindowPlan {
  const lines = linesOf(facts, bases, window);
  if ('lacking' in lines) return { remove: [], pieces: [], ...lines };
  const isPassed = (extent: Extent): boolean => !lines.of.some((line) => replays(line, extent));
  const { segments, partials, gaps, pieces } = facts.listing;
  return {
    remove: [...segments, ...partials, ...gaps].filter(isPassed),
    pieces: pieces.filter(({ segment }) => isPassed(segment)),
    lacking: [],
  };
}

/**
 * What none of several sets of bases needs: all of them, and those among them that are sounder or nearer. A doubt about a base
 * thus never makes the window smaller, but may make it longer.
 */
export function planWindows(
  facts: StreamFacts,
  bases: readonly Base[],
  among: readonly (readonly Base[])[],
  window: Window,
): WindowPlan {
  const others = among.filter(({ length }) => length < bases.length).map((some) => planWindow(facts, some, window));
  return others.reduce(both, planWindow(facts, bases, window));
}

function both(one: WindowPlan, other: WindowPlan): WindowPlan {
  const [extents, pieces] = [new Set(other.remove), new Set(other.pieces)];
  return {
    remove: one.remove.filter((extent) => extents.has(extent)),
    pieces: one.pieces.filter((piece) => pieces.has(piece)),
    lacking: [...new Set([...one.lacking, ...other.lacking])],
  };
}

/**
 * The bases that a window needs, whatever else keeps them: along each way the newest before its oldest moment, each
 * within it that the log doesn't lead to from an older one, and of the others one for each seventh of the window: were
 * there none, the window's end could never move past the oldest, nor the log before it go. It rests on sound ones; one in
 * doubt stays where it would be needed were it sound, until a sound one that is kept leads to the same moments.
 */
export function neededBases<B extends Base>(
  facts: StreamFacts,
  bases: readonly B[],
  window: Window,
  isSound: (base: B) => boolean = () => true,
): ReadonlySet<B> {
  const { listing } = facts;
  const all = linesOf(facts, bases, window);
  const ofSound = linesOf(facts, bases.filter(isSound), window);
  if ('lacking' in all || 'lacking' in ofSound) return new Set(bases);
  const sound = new Set(ofSound.of.flatMap((line) => neededOf(line, listing, window)));
  const needed = new Set(sound);
  for (const line of all.of) {
    const kept = [...sound].filter((one) => isOn(line.lineage, one));
    for (const base of neededOf(line, listing, window))
      if (!sound.has(base) && !kept.some((one) => leadsAsFar(one, base, line, listing))) needed.add(base);
  }
  return new Set(bases.filter((base) => needed.has(base)));
}

/** Whether one base brings back each moment that another does. */
function leadsAsFar(one: Base, other: Base, { lineage, times }: Line, listing: Listing): boolean {
  if (one.to > other.to || (times.get(one) ?? one.timeNs) > (times.get(other) ?? other.timeNs)) return false;
  return reachOf(one, lineage, listing) >= reachOf(other, lineage, listing);
}

const parts = 7n;

function neededOf(
  { lineage, times, root, younger }: Line,
  listing: Listing,
  { nowNs, lengthNs }: Window,
): readonly Base[] {
  const timeOf = (base: Base): bigint => times.get(base) ?? base.timeNs;
  const needed = root === undefined ? [] : [root];
  let reach = root === undefined ? -1n : reachOf(root, lineage, listing);
  for (const [index, base] of younger.entries()) {
    const next = younger[index + 1];
    const nextNs = next === undefined ? nowNs : timeOf(next);
    const isLast = nextNs > timeOf(needed.at(-1) ?? base) + lengthNs / parts;
    if (base.to <= reach && !isLast) continue;
    needed.push(base);
    if (base.to > reach) reach = reachOf(base, lineage, listing);
  }
  return needed;
}

function reachOf(base: Base, lineage: Lineage, listing: Listing): bigint {
  const { to } = coverFrom(listing, lineage, base.from);
  return to >= base.to ? to : coverFrom(listing, lineage, base.to).to;
}

/** One for each epoch that the window reaches into, or those of which it isn't held whence they come. */
function linesOf(
  { listing, histories, endedNs }: StreamFacts,
  bases: readonly Base[],
  window: Window,
): { readonly of: readonly Line[] } | Pick<WindowPlan, 'lacking'> {
  const oldestNs = window.nowNs - window.lengthNs;
  const held = epochsOf(listing);
  const newest = Math.max(...held, ...bases.map(({ epoch }) => epoch));
  const isWithin = (epoch: number): boolean =>
    (endedNs(epoch) ?? oldestNs) >= oldestNs || bases.some((base) => base.epoch === epoch && base.timeNs >= oldestNs);
  const named = [...held, newest, ...bases.flatMap(({ epoch, timeNs }) => (timeNs >= oldestNs ? [epoch] : []))];
  const epochs = [...new Set(named)].filter((epoch) => Number.isFinite(epoch) && isWithin(epoch));
  const lineages = epochs.map((epoch) => ({ epoch, lineage: lineageOf(epoch, histories) }));
  const lacking = lineages.flatMap(({ epoch, lineage }) => (lineage === undefined ? [epoch] : []));
  if (lacking.length > 0) return { lacking };
  return {
    of: lineages.flatMap(({ lineage }) => (lineage === undefined ? [] : [lineOf(lineage, bases, window, endedNs)])),
  };
}

/** Of which something is held; a window of a busy cluster has 100,000 segments. */
export function epochsOf({ segments, pieces }: Pick<Listing, 'segments' | 'pieces'>): ReadonlySet<number> {
  const epochs = new Set(pieces.map(({ segment }) => segment.epoch));
  for (const { epoch } of segments) epochs.add(epoch);
  return epochs;
}

function lineOf(lineage: Lineage, bases: readonly Base[], window: Window, endedNs: StreamFacts['endedNs']): Line {
  const on = bases.filter((base) => isOn(lineage, base)).toSorted((a, b) => (a.to < b.to ? -1 : 1));
  const times = timesOf(on, window, endedNs);
  const isOld = (base: Base): boolean => (times.get(base) ?? base.timeNs) <= window.nowNs - window.lengthNs;
  return { lineage, times, root: on.findLast(isOld), younger: on.filter((base) => !isOld(base)) };
}

/**
 * What stands behind another in the log is no older, whatever the clock said that stamped it: one of the two dates is wrong.
 * Such a base is of any time up to that of the next which is dated right, or to its epoch's end; were it taken for older, moments of the
 * window that begin at the one before it would go. One that is ahead of now tells nothing of those behind it.
 */
function timesOf(
  inOrder: readonly Base[],
  { nowNs, earliestNs = 0n }: Window,
  endedNs: StreamFacts['endedNs'],
): ReadonlyMap<Base, bigint> {
  const times = new Map<Base, bigint>();
  const unsure: Base[] = [];
  const settle = (nextNs: bigint): void => {
    for (const base of unsure.splice(0)) {
      const endNs = endedNs(base.epoch) ?? nextNs;
      times.set(base, endNs < nextNs ? endNs : nextNs);
    }
  };
  let least = earliestNs;
  for (const base of inOrder) {
    if (base.timeNs < least) unsure.push(base);
    else times.set(base, base.timeNs);
    if (base.timeNs < least || base.timeNs > nowNs) continue;
    least = base.timeNs;
    settle(least);
  }
  settle(nowNs);
  return times;
}

/** A backup that ended behind a fork is none of the fork's. */
function isOn({ epochs }: Lineage, { epoch, to }: Base): boolean {
  return epochs.some((one) => one.epoch === epoch && (one.to === undefined || to <= one.to));
}

/** Whether something of the line may be replayed by an extent. */
function replays({ lineage, root, younger }: Line, { epoch, from, to }: Extent): boolean {
  const own = lineage.epochs.find((one) => one.epoch === epoch);
  if (own === undefined || to <= own.from || (own.to !== undefined && from >= own.to)) return false;
  const begins = [...(root === undefined ? [] : [root]), ...younger].map((base) => base.from);
  return begins.length === 0 || begins.some((begin) => to > begin);
}
