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
  const moments = ranges.length === 0 ? [none] : ranges.map((range) => `  any moment ${rangeText(range, text)}`);
  const gaps = gapsIn(log).map(({ epoch, from, to, named }) => {
    const what = `  GAP on timeline ${epoch} from ${text(from)} to ${text(to)}`;
    return named ? `${what}, which was told at its time` : what;
  });
  return [title, ...moments, ...gaps];
}

function rangeText({ base, from, to, epoch, untilNs }: TimedRange, text: PositionText): string {
  const last = untilNs === undefined ? '' : `, the last change in a whole segment of ${formatTime(untilNs)}`;
  const begins = `from ${formatTime(base.timeNs)} (${shortPoint(base.identity)}, ${text(from)})`;
  return `${begins} to ${text(to)} on timeline ${epoch}${last}`;
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
    ranges: ranges.map(({ base, from, to, epoch, untilNs }) => ({
      base: base.identity,
      base_time: jsonTime(base.timeNs),
      epoch,
      from: text(from),
      to: text(to),
      last_change: untilNs === undefined ? undefined : jsonTime(untilNs),
    })),
    gaps: gapsIn(log).map(({ epoch, from, to, named }) => ({ epoch, from: text(from), to: text(to), named })),
  };
}
