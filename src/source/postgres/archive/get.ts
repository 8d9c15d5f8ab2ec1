import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { rawPathOf } from '../../../bytes/ids.ts';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import { piecesAt } from '../../../log/cover.ts';
import type { Extent, LogStore, Piece } from '../../../log/log.ts';
import { openLog } from '../../../log/store.ts';
import { unionOf } from '../../../log/union.ts';
import type { FetchWork } from '../../log.ts';
import { readControl } from '../host/control.ts';
import { parseSegmentName, segmentFacts, segmentStart } from '../wal/segment.ts';
import { Ahead } from './ahead.ts';
import { assertOfCluster, kindOfLogFile } from './log-file.ts';

/**
 * Fetches a file of the log for a server that recovers. 'absent' is proven: every place was asked, and each answered that
 * it has none; whatever keeps a place from answering is thrown, for a server that is told "absent" ends its recovery.
 */
export async function fetchFile(work: FetchWork): Promise<'delivered' | 'absent'> {
  const { file, target } = work;
  const kind = kindOfLogFile(file);
  if (kind === undefined) throw new HoldfastError('usage', `${file} is no file of PostgreSQL's log`);
  if (kind === 'backup' || kind === 'partial') return 'absent'; // no server asks for them, and no log holds the first
  const ahead = new Ahead(target);
  if (kind === 'segment' && (await ahead.take(file, target))) return 'delivered';
  await using fetching = await openFetching(work);
  const whole = kind === 'history' ? await fetching.history(file) : await fetching.whole(file);
  const bytes = whole ?? (kind === 'segment' ? await fetching.open(file) : undefined);
  if (bytes === undefined) return 'absent';
  await deliver(bytes, target);
  if (kind === 'segment' && whole !== undefined) goAhead(ahead, work);
  return 'delivered';
}

/** What follows is fetched while the server replays this one. That it can't be is no fault of what was delivered. */
function goAhead(ahead: Ahead, { file, startAhead }: FetchWork): void {
  try {
    ahead.make();
    ahead.noteAt(file);
    if (!ahead.isAtWork()) startAhead(ahead.logPath);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

/** The log of the cluster in a data directory, in all places of the component. */
export interface Fetching extends AsyncDisposable {
  readonly segmentBytes: number;
  /** Of the very cluster; undefined: every place answered that it has none. */
  whole(file: string): Promise<Uint8Array | undefined>;
  open(file: string): Promise<Uint8Array | undefined>;
  history(file: string): Promise<Uint8Array | undefined>;
}

export async function openFetching(work: FetchWork): Promise<Fetching> {
  const { dataDirectory, clock, signal, component } = work;
  const control = await readControl(rawPathOf(join(dataDirectory, 'global/pg_control')), clock, signal);
  const { systemIdentifier } = control;
  const segmentBytes = segmentBytesIn(control.bytes);
  const closing = new AsyncDisposableStack();
  const opened = new Map<string, Promise<LogStore>>();
  const open = async (place: FetchWork['places'][number]): Promise<LogStore> => {
    const repository = closing.use(await place.open());
    return openLog(repository, { component, stream: systemIdentifier });
  };
  const places = work.places.map(
    (place) => async (): Promise<LogStore> =>
      await opened.getOrInsertComputed(place.repository, async () => await open(place)),
  );
  const checked = (file: string, bytes: Uint8Array | undefined): Uint8Array | undefined => {
    if (bytes !== undefined) assertOfCluster(segmentFacts(file, bytes), systemIdentifier);
    return bytes;
  };
  return {
    segmentBytes,
    whole: async (file) => {
      const extent = extentNamed(file, segmentBytes);
      return checked(file, await firstOf(places, async (store) => await store.get(extent)));
    },
    open: async (file) => checked(file, await openSegment(places, extentNamed(file, segmentBytes))),
    history: async (file) => await history(places, Number.parseInt(file.slice(0, 8), 16)),
    [Symbol.asyncDispose]: async () => await closing.disposeAsync(),
  };
}

function extentNamed(file: string, segmentBytes: number): Extent {
  const name = parseSegmentName(file);
  if (name === undefined) throw new HoldfastError('usage', `${file} is no segment of PostgreSQL's log`);
  const from = segmentStart(name, segmentBytes);
  return { epoch: name.timeline, from, to: from + BigInt(segmentBytes) };
}

type Place = () => Promise<LogStore>;

/** pg_control.h, ControlFileData.xlog_seg_size: at the same place from 14 to 18. */
function segmentBytesIn(control: Uint8Array): number {
  return new DataView(control.buffer, control.byteOffset, control.length).getUint32(228, true);
}

async function history(places: readonly Place[], epoch: number): Promise<Uint8Array | undefined> {
  return (await firstOf(places, async (store) => await store.getHistory(epoch)))?.bytes;
}

/** From the first place that has it; undefined where each says that it has none. Throws where one can't say. */
async function firstOf<T>(places: readonly Place[], read: (store: LogStore) => Promise<T>): Promise<T | undefined> {
  const failures: HoldfastError[] = [];
  for (const place of places) {
    try {
      return await read(await place());
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      if (!hasCode(error, 'storage-not-found')) failures.push(error);
    }
  }
  if (failures[0] !== undefined) throw failures[0];
  return undefined;
}

/** The segment that is still written: its pieces of all places, as far as they join, and zeros behind them. */
async function openSegment(places: readonly Place[], extent: Extent): Promise<Uint8Array | undefined> {
  const stores = await Promise.all(places.map(async (place) => await place()));
  const held = await Promise.all(stores.map(async (store) => ({ store, listing: await store.list() })));
  const part = piecesAt(unionOf(held.map(({ listing }) => listing)).pieces, extent.epoch, extent.from);
  if (part?.held !== 'pieces') return undefined;
  const bytes = Buffer.alloc(Number(extent.to - extent.from));
  for (const piece of part.pieces) {
    const holding = held.filter(({ listing }) => listing.pieces.some((one) => isSame(one, piece)));
    const found = await firstOf(
      holding.map(
        ({ store }) =>
          async () =>
            store,
      ),
      async (store) => await store.getPiece(piece),
    );
    if (found === undefined)
      throw new HoldfastError('storage-not-found', 'a piece of the open segment is gone since it was listed', {
        next: 'The segment was stored as a whole meanwhile: ask again.',
      });
    bytes.set(found, Number(piece.from - extent.from));
  }
  return bytes;
}

function isSame(a: Piece, b: Piece): boolean {
  return a.segment.from === b.segment.from && a.from === b.from && a.to === b.to;
}

/** The server finds all of it under this name, or nothing. */
async function deliver(bytes: Uint8Array, target: string): Promise<void> {
  const draft = `${target}.holdfast`;
  try {
    await writeWhole(bytes, draft);
    await rename(draft, target);
  } catch (cause) {
    await rm(draft, { force: true });
    if (errorCode(cause) === undefined) throw cause;
    throw new HoldfastError('source-failed', `${target} can't be written: ${reasonOf(cause)}`, { cause });
  }
}

/** Lasting when it resolves. */
export async function writeWhole(bytes: Uint8Array, path: string): Promise<void> {
  await using file = await open(path, 'w', 0o600);
  await file.writeFile(bytes);
  await file.sync();
}
