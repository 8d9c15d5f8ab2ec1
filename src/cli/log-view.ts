import type { LogsOutcome, TimedRange } from '../job/logs.ts';
import { rangesOf } from '../log/ranges.ts';
import { formatTime, jsonTime, plural, shortPoint } from './format.ts';

type ShownLog = LogsOutcome['logs'][number];
type PositionText = (position: bigint) => string;

/** What can be brought back by a log, and what is missing in it. */
export function logLines(log: ShownLog, text: PositionText): readonly string[] {
  const { component, repository, stream, ranges, listing } = log;
  const title = `\n${component}: log ${stream} in ${repository}, ${plural(listing.segments.length, 'segment')}`;
  const none = '  no moment can be brought back by it: it joins no backup';
  const moments = ranges.length === 0 ? [none] : ranges.map((range) => `  any moment ${rangeText(log, range, text)}`);
  const gaps = gapsIn(log).map(({ epoch, from, to, named }) => {
    const what = `  GAP on timeline ${epoch} from ${text(from)} to ${text(to)}`;
    return named ? `${what}, which was told at its time` : what;
  });
  return [title, ...moments, ...gaps];
}

function rangeText(log: ShownLog, range: TimedRange, text: PositionText): string {
  const { base, from, to, epoch, untilNs } = range;
  const left = isLeft(log, range) ? ', which was left' : '';
  const last = untilNs === undefined ? '' : `, the last change in a whole segment of ${formatTime(untilNs)}`;
  const begins = `from ${formatTime(base.timeNs)} (${shortPoint(base.identity)}, ${text(from)})`;
  return `${begins} to ${text(to)} on timeline ${epoch}${left}${last}`;
}

/** An undo said so, and nothing came of it since. */
function isLeft({ signs }: ShownLog, { epoch, to }: TimedRange): boolean {
  return signs.left.some((left) => left.epoch === epoch && to <= left.at);
}

interface Gap {
  readonly epoch: number;
  readonly from: bigint;
  readonly to: bigint;
  /** An object says so. */
  readonly named: boolean;
}

function gapsIn({ listing }: ShownLog): readonly Gap[] {
  const ranges = rangesOf(listing);
  return ranges.slice(1).flatMap((after, at) => {
    const before = ranges[at];
    if (before?.epoch !== after.epoch || before.open >= after.from) return [];
    const gap = { epoch: after.epoch, from: before.open, to: after.from };
    const named = listing.gaps.some((one) => one.epoch === gap.epoch && one.from < gap.to && one.to > gap.from);
    return [{ ...gap, named }];
  });
}

/** Stands behind the points, and has no `identity`. */
export function logRecord(log: ShownLog, text: PositionText): unknown {
  const { component, repository, stream, ranges, listing } = log;
  return {
    component,
    log: stream,
    repository,
    segments: listing.segments.length,
    ranges: ranges.map((range) => ({
      base: range.base.identity,
      base_time: jsonTime(range.base.timeNs),
      epoch: range.epoch,
      from: text(range.from),
      to: text(range.to),
      last_change: range.untilNs === undefined ? undefined : jsonTime(range.untilNs),
      left: isLeft(log, range),
    })),
    gaps: gapsIn(log).map(({ epoch, from, to, named }) => ({ epoch, from: text(from), to: text(to), named })),
  };
}
