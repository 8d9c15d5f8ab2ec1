import { dueBase, type DueBase } from '../point/due.ts';
import type { Listing } from '../log/log.ts';
import type { RecoverablePoint } from '../point/point.ts';
import { heldTogether } from './held-together.ts';
import type { LogsOutcome } from './logs.ts';

/** A base backup that should be taken at once. */
export interface Due extends DueBase {
  /** As it was told when the log was parted; undefined where nobody did. */
  readonly reason: string | undefined;
}

/** By what all places hold together of the stream that was written to last: one place may be filled from another yet. */
export function dueIn(
  logs: LogsOutcome['logs'],
  component: string,
  points: readonly RecoverablePoint[],
): Due | undefined {
  const own = logs.filter((log) => log.component === component && holdsAny(log.listing));
  const last = own.toSorted((a, b) => ((a.endStoredNs ?? 0n) < (b.endStoredNs ?? 0n) ? -1 : 1)).at(-1);
  if (last === undefined) return undefined;
  const same = own.filter(({ stream }) => stream === last.stream);
  const due = dueBase(heldTogether(same, last.stream), points);
  if (due === undefined) return undefined;
  const told = same.flatMap(({ lastGap }) => lastGap ?? []);
  const { epoch, since } = due;
  return { ...due, reason: told.find(({ extent }) => extent.epoch === epoch && extent.to <= since)?.reason };
}

/** A gap that was named tells of a log, too. */
function holdsAny({ segments, pieces, gaps }: Listing): boolean {
  return segments.length + pieces.length + gaps.length > 0;
}
