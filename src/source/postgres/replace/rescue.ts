import { HoldfastError, hasCode } from '../../../errors/error.ts';
import type { Extent, Listing, LogStore } from '../../../log/log.ts';
import { openLog } from '../../../log/store.ts';
import { ownHistory, readLogFile } from '../archive/log-file.ts';
import type { RescueFrom, Rescued } from '../../in-place.ts';
import type { LogPlace, LogWork } from '../../log.ts';
import { chainEnd } from '../stream/reached.ts';
import { notedSegment } from '../stream/noted-segment.ts';
import { givingUp, readOldLog, stateOf, type NamedSegment, type OldLog } from './old-log.ts';

/**
 * Stores what the log of a server that doesn't run has and the places lack: its newest commits are there alone. The segment
 * that is still written is stored as a piece of it, up to the last record that is whole, under its own timeline: should that
 * server go on, it goes on just there.
 */
export async function rescueLog(work: LogWork, { place, stream }: RescueFrom): Promise<Rescued> {
  const log = await readOldLog(place, stream);
  const failures: HoldfastError[] = [];
  let stored = 0;
  for (const to of work.places) {
    try {
      stored += await rescueInto(to, { work, stream, log });
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
  if (last === undefined) return { stored, end: undefined };
  const { epoch } = last.extent;
  const origin = (await ownHistory(place, epoch))?.bytes;
  return { stored, end: { epoch, at: (await stateOf(log, last)).end, ...(origin && { origin }) } };
}

interface Rescuing {
  readonly work: LogWork;
  readonly stream: string;
  readonly log: OldLog;
}

async function rescueInto(place: LogPlace, { work, stream, log }: Rescuing): Promise<number> {
  await using repository = await place.open();
  const store = openLog(repository, { component: work.component, stream });
  const listing = await store.list();
  let stored = await rescueHistories(store, log, stream);
  for (const segment of log.segments.filter((one) => isDue(one, listing))) {
    work.signal.throwIfAborted();
    stored += await rescueSegment(store, { log, listing, segment });
  }
  return stored;
}

/**
 * Those that are held, too: 'log-conflict' where a timeline of the same number is held that comes from elsewhere. Nothing of
 * the one is to go in between the other's.
 */
async function rescueHistories(store: LogStore, { folder, histories }: OldLog, stream: string): Promise<number> {
  let stored = 0;
  for (const name of histories) {
    const file = await readLogFile(folder, name, stream);
    if (file.kind === 'history' && (await store.putHistory(file.history)) === 'stored') stored += 1;
  }
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
  const { bytes, isWhole, end } = await stateOf(log, segment);
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
