import { HoldfastError, hasCode } from '../../../errors/error.ts';
import type { Extent, History, Listing, LogStore } from '../../../log/log.ts';
import { openLog } from '../../../log/store.ts';
import type { RescueFrom, Rescued } from '../../in-place.ts';
import type { LogPlace, LogWork } from '../../log.ts';
import { chainEnd } from '../stream/reached.ts';
import { notedSegment } from '../stream/noted-segment.ts';
import { givingUp, historiesOf, readOldLog, stateOf, type NamedSegment, type OldLog } from './old-log.ts';

/**
 * Stores what the log of a server that doesn't run has and the places lack: its newest commits are there alone. The segment
 * that is still written is stored as a piece of it, up to the last record that is whole, under its own timeline: should that
 * server go on, it goes on just there. Where something of it can't be read, all else is stored first.
 */
export async function rescueLog(work: LogWork, { place, stream }: RescueFrom): Promise<Rescued> {
  const log = await readOldLog(place, stream);
  const histories = await historiesOf(log, stream);
  tellUnneeded(work, log);
  const failures: HoldfastError[] = [];
  let stored = 0;
  for (const to of work.places) {
    try {
      stored += await rescueInto(to, { work, stream, log, histories });
    } catch (error) {
      work.signal.throwIfAborted();
      if (!(error instanceof HoldfastError)) throw error;
      failures.push(error);
      const message = `it lacks some of the newest log, which stays in ${place}: ${error.message}`;
      work.listener({ kind: 'warning', during: 'log', item: to.repository, message });
    }
  }
  const [first] = failures;
  if (first !== undefined && failures.length === work.places.length) throw nowhere(work.component, place, first);
  const last = log.segments.at(-1);
  const state = last && (await stateOf(log, last));
  const [unread] = log.unread.values();
  if (unread !== undefined) throw unread;
  if (last === undefined || state === undefined) return { stored, end: undefined };
  const { epoch } = last.extent;
  const origin = histories.get(epoch)?.bytes;
  return { stored, end: { epoch, at: state.end, ...(origin && { origin }) } };
}

/** Whence a timeline came of which nothing is left there is needed by nothing that is stored from there. */
function tellUnneeded({ listener }: LogWork, { histories, segments, unread }: OldLog): void {
  for (const name of histories) {
    const error = unread.get(name);
    if (error === undefined || segments.some(({ extent }) => historyName(extent.epoch) === name)) continue;
    unread.delete(name);
    const message = `${error.message}: nothing of its timeline is there, and it is left out`;
    listener({ kind: 'warning', during: 'log', item: name, message });
  }
}

function historyName(epoch: number): string {
  return `${epoch.toString(16).toUpperCase().padStart(8, '0')}.history`;
}

interface Rescuing {
  readonly work: LogWork;
  readonly stream: string;
  readonly log: OldLog;
  readonly histories: ReadonlyMap<number, History>;
}

async function rescueInto(place: LogPlace, { work, stream, log, histories }: Rescuing): Promise<number> {
  await using repository = await place.open();
  const store = openLog(repository, { component: work.component, stream });
  const listing = await store.list();
  let stored = await rescueHistories(store, histories);
  for (const segment of log.segments.filter((one) => isDue(one, listing))) {
    work.signal.throwIfAborted();
    if (log.unread.has(historyName(segment.extent.epoch))) continue;
    stored += await rescueSegment(store, { log, listing, segment });
  }
  return stored;
}

/**
 * Those that are held, too: 'log-conflict' where a timeline of the same number is held that comes from elsewhere. Nothing of
 * the one is to go in between the other's.
 */
async function rescueHistories(store: LogStore, histories: ReadonlyMap<number, History>): Promise<number> {
  let stored = 0;
  for (const history of histories.values()) if ((await store.putHistory(history)) === 'stored') stored += 1;
  return stored;
}

/** What was let go of behind a window stays gone. */
function isDue({ extent, isReady }: NamedSegment, { segments }: Listing): boolean {
  if (isReady) return true;
  const own = segments.filter(({ epoch }) => epoch === extent.epoch);
  const [oldest] = own;
  return !own.some(({ from }) => from === extent.from) && (oldest === undefined || oldest.from < extent.from);
}

interface RescuedSegment {
  readonly log: OldLog;
  readonly listing: Listing;
  readonly segment: NamedSegment;
}

/** 'log-conflict' where other bytes stand there. */
async function rescueSegment(store: LogStore, { log, listing, segment }: RescuedSegment): Promise<number> {
  const { extent } = segment;
  const state = await stateOf(log, segment);
  if (state === undefined) return 0;
  const { bytes, isWhole, end } = state;
  if (isWhole) return (await store.put(extent, bytes, notedSegment(extent, bytes))) === 'stored' ? 1 : 0;
  const reached = isHeld(extent, listing) ? extent.to : chainEnd(listing.pieces, extent);
  if (end <= reached) return 0;
  const own = bytes.subarray(Number(reached - extent.from), Number(end - extent.from));
  await store.putPiece({ segment: extent, from: reached, to: end }, own);
  return 1;
}

function isHeld({ epoch, from }: Extent, { segments }: Listing): boolean {
  return segments.some((one) => one.epoch === epoch && one.from === from);
}

function nowhere(component: string, place: string, cause: HoldfastError): HoldfastError {
  return new HoldfastError(cause.code, `${component}: no place takes the newest log of ${place}: ${cause.message}`, {
    cause,
    next: hasCode(cause, 'log-conflict')
      ? `Another one of the same timeline is held. To give up what was committed last in ${place}: ${givingUp(place)}`
      : 'What was committed last is there alone: see that a place of the log can be written to, and run the command again.',
  });
}
