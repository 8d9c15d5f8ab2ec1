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

/**
 * By what all places hold together of one stream, the one that was written to last where none is given: one place may be filled from
 * another yet.
 */
export function dueIn(
  logs: LogsOutcome['logs'],
  component: string,
  points: readonly RecoverablePoint[],
  stream?: string,
): Due | undefined {
  const own = logs.filter((log) => log.component === component && holdsAny(log.listing));
  const meant = stream ?? lastOf(own)?.stream;
  const same = own.filter((log) => log.stream === meant);
  if (meant === undefined || same.length === 0) return undefined;
  const due = dueBase(heldTogether(same, meant), points);
  if (due === undefined) return undefined;
  const told = same.flatMap(({ lastGap }) => lastGap ?? []);
  const { epoch, since } = due;
  return { ...due, reason: told.find(({ extent }) => extent.epoch === epoch && extent.to <= since)?.reason };
}

function lastOf(logs: LogsOutcome['logs']): LogsOutcome['logs'][number] | undefined {
  return logs.toSorted((a, b) => ((a.endStoredNs ?? 0n) < (b.endStoredNs ?? 0n) ? -1 : 1)).at(-1);
}

/** A gap that was named tells of a log, too. */
function holdsAny({ segments, pieces, gaps }: Listing): boolean {
  return segments.length + pieces.length + gaps.length > 0;
}
