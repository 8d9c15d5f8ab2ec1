import type { History, LogStore } from '../../../log/log.ts';
import { historiesIn } from '../stream/history.ts';
import { ownHistory } from './log-file.ts';

/** Those of a place. */
export interface Timelines {
  readonly store: LogStore;
  /** Epochs that are known there as the server has them. */
  readonly ours: Set<number>;
  /** Those of which it held whence they come when it was opened. */
  readonly told: ReadonlySet<number>;
}

/**
 * Of a timeline nothing is stored before whence it comes: where another's of the same number stands there, its segments
 * that are not there yet would go in between.
 */
export async function assureTimeline(there: Timelines, { epoch, own, dataDirectory }: Timeline): Promise<void> {
  const { store, ours } = there;
  if (ours.has(epoch)) return;
  const history = await own();
  if (history !== undefined) {
    await store.putHistory(history);
    await assureAncestors(there, history, dataDirectory);
  }
  ours.add(epoch);
}

interface Timeline {
  readonly epoch: number;
  readonly own: () => Promise<History | undefined>;
  readonly dataDirectory: string;
}

/**
 * A server that was promoted more than once before its log was archived hands the files of older timelines over to nobody.
 * Where it has one no more, that of a later timeline tells what it was.
 */
async function assureAncestors(
  { store, told }: Timelines,
  { epoch, bytes }: History,
  dataDirectory: string,
): Promise<void> {
  for (const ancestor of historiesIn(epoch, bytes).slice(1))
    if (!told.has(ancestor.epoch))
      await store.putHistory((await ownHistory(dataDirectory, ancestor.epoch)) ?? ancestor);
}
