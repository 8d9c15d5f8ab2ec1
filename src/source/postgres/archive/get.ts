import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { rawPathOf } from '../../../bytes/ids.ts';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import { piecesAt } from '../../../log/cover.ts';
import type { Extent, Listing, LogStore, Piece } from '../../../log/log.ts';
import { openLog } from '../../../log/store.ts';
import { unionOf } from '../../../log/union.ts';
import { OwnFiles } from '../../../repository/own-files.ts';
import type { FetchWork } from '../../log.ts';
import { readControl, type Control } from '../host/control.ts';
import { parseSegmentName, segmentFacts, segmentStart } from '../wal/segment.ts';
import { branchesBefore } from './branches.ts';
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
  await using fetching = await openFetching(work);
  const whole = kind === 'history' ? await fetching.history(file) : await fetching.whole(file);
  const bytes = whole ?? (kind === 'segment' ? await fetching.open(file) : undefined);
  if (bytes === undefined) return 'absent';
  await deliver(bytes, target);
  return 'delivered';
}

/** The log of the cluster in a data directory, in all places of the component. */
export interface Fetching extends AsyncDisposable {
  readonly segmentBytes: number;
  /**
   * Of the very cluster; undefined: every place answered that it has none. 'refused' where the server follows a timeline that
   * came of this one by then, and its segment isn't proven absent: this one is what was left.
   */
  whole(file: string): Promise<Uint8Array | undefined>;
  /**
   * The same into a file, by threads; it is made or overwritten, and of no use where this rejects. False: there is none that
   * may be delivered without asking for another, as behind a branch.
   */
  wholeInto(file: string, path: string): Promise<boolean>;
  open(file: string): Promise<Uint8Array | undefined>;
  history(file: string): Promise<Uint8Array | undefined>;
}

export async function openFetching(work: FetchWork): Promise<Fetching> {
  const { dataDirectory, component } = work;
  const control = await controlIn(dataDirectory, work);
  const { systemIdentifier } = control;
  const segmentBytes = segmentBytesIn(control.bytes);
  const closing = new AsyncDisposableStack();
  const files = closing.use(new OwnFiles());
  const opened = new Map<string, Promise<LogStore>>();
  const open = async (place: FetchWork['places'][number]): Promise<LogStore> => {
    const repository = closing.use(await place.open());
    return openLog(repository, { component, stream: systemIdentifier });
  };
  const places = work.places.map((place) => ({
    repository: place.repository,
    store: async () => await opened.getOrInsertComputed(place.repository, async () => await open(place)),
  }));
  const checked = async (file: string, bytes: Uint8Array | undefined): Promise<Uint8Array | undefined> => {
    if (bytes === undefined) return undefined;
    assertOfCluster(segmentFacts(file, bytes), systemIdentifier);
    await assertNotLeft(places, work, { file, extent: extentNamed(file, segmentBytes) });
    return bytes;
  };
  return {
    segmentBytes,
    whole: async (file) => {
      const extent = extentNamed(file, segmentBytes);
      return await checked(file, await firstOf(places, async (store) => await store.get(extent)));
    },
    wholeInto: async (file, path) => {
      const extent = extentNamed(file, segmentBytes);
      const hasBranch = async (): Promise<boolean> => (await branchesBefore(work, extent)).length > 0;
      if (await hasBranch()) return false;
      const found = await firstOf(places, async (store) => await store.getInto(extent, path, files));
      if (found === undefined) return false;
      assertOfCluster(segmentFacts(file, found.beginning, found.sizeBytes), systemIdentifier);
      return !(await hasBranch()); // the server may have learned of one meanwhile
    },
    open: async (file) => await checked(file, await openSegment(places, extentNamed(file, segmentBytes))),
    history: async (file) => await history(places, Number.parseInt(file.slice(0, 8), 16)),
    [Symbol.asyncDispose]: async () => await closing.disposeAsync(),
  };
}

async function controlIn(dataDirectory: string, { clock, signal }: FetchWork): Promise<Control> {
  try {
    return await readControl(rawPathOf(join(dataDirectory, 'global/pg_control')), clock, signal);
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause;
    const message = `${dataDirectory} is no data directory that can be read: ${reasonOf(cause)}`;
    throw new HoldfastError('refused', message, {
      cause,
      next: 'A server runs this in its data directory, as its own user; so does a person. Nothing was delivered.',
    });
  }
}

function extentNamed(file: string, segmentBytes: number): Extent {
  const name = parseSegmentName(file);
  if (name === undefined) throw new HoldfastError('usage', `${file} is no segment of PostgreSQL's log`);
  const from = segmentStart(name, segmentBytes);
  return { epoch: name.timeline, from, to: from + BigInt(segmentBytes) };
}

/**
 * A server asks for the segment of its own timeline first, and then, whatever kept that from it, for that of the parent: behind
 * the branch it would replay what was left, and never find back.
 */
async function assertNotLeft(
  places: Place[],
  work: FetchWork,
  { file, extent }: { readonly file: string; readonly extent: Extent },
): Promise<void> {
  for (const branch of await branchesBefore(work, extent)) {
    if ((await openSegment(places, branch)) === undefined) continue;
    const message = `${file} is of a timeline that was left before its end: timeline ${branch.epoch} came of it, and the log holds its segment`;
    throw new HoldfastError('refused', message, {
      next: `Nothing was delivered; a standby asks again. If timeline ${branch.epoch} is the one that was left, take its history out of pg_wal, or set recovery_target_timeline to the number that is followed.`,
    });
  }
}

interface Place {
  readonly repository: string;
  store(): Promise<LogStore>;
}

/** pg_control.h, ControlFileData.xlog_seg_size: at the same place from 14 to 18. */
function segmentBytesIn(control: Uint8Array): number {
  return new DataView(control.buffer, control.byteOffset, control.length).getUint32(228, true);
}

async function history(places: Place[], epoch: number): Promise<Uint8Array | undefined> {
  return (await firstOf(places, async (store) => await store.getHistory(epoch)))?.bytes;
}

/**
 * From the first place that has it; undefined where each says that it has none. Throws where one can't say: that is the
 * last to be asked from then on.
 */
async function firstOf<T>(places: Place[], read: (store: LogStore) => Promise<T>): Promise<T | undefined> {
  const failures: HoldfastError[] = [];
  for (const place of [...places]) {
    try {
      return await read(await place.store());
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      if (hasCode(error, 'storage-not-found')) continue;
      if (hasCode(error, 'source-failed')) throw error; // the file can't be written, wherever it comes from
      failures.push(notAsked(place, error));
      places.push(...places.splice(places.indexOf(place), 1));
    }
  }
  if (failures[0] !== undefined) throw failures[0];
  return undefined;
}

function notAsked({ repository }: Place, cause: HoldfastError): HoldfastError {
  const message = `the log in ${repository} can’t be asked for it: ${cause.message}`;
  return new HoldfastError(cause.code, message, { cause, next: cause.next });
}

/**
 * The segment that is still written: its pieces of all places, as far as they join, and zeros behind them. One that was
 * stored as a whole since it was looked for has lost its pieces, before they were listed or while they were.
 */
async function openSegment(places: Place[], extent: Extent): Promise<Uint8Array | undefined> {
  const held = await Promise.all(places.map(listed));
  const whole = await firstOf(places, async (store) => await store.get(extent));
  if (whole !== undefined) return whole;
  const part = piecesAt(unionOf(held.map(({ listing }) => listing)).pieces, extent.epoch, extent.from);
  if (part?.held !== 'pieces') return undefined;
  const bytes = Buffer.alloc(Number(extent.to - extent.from));
  for (const piece of part.pieces) {
    const holding = held.filter(({ listing }) => listing.pieces.some((one) => isSame(one, piece)));
    const found = await firstOf(
      holding.map(({ place }) => place),
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

async function listed(place: Place): Promise<{ readonly place: Place; readonly listing: Listing }> {
  try {
    return { place, listing: await (await place.store()).list() };
  } catch (error) {
    throw error instanceof HoldfastError ? notAsked(place, error) : error;
  }
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
    throw new HoldfastError('source-failed', `${target} can't be written: ${reasonOf(cause)}`, {
      cause,
      next: 'See that folder, and the room on its disk. Nothing was delivered, and the log is unharmed: ask again.',
    });
  }
}

/** Lasting when it resolves. */
export async function writeWhole(bytes: Uint8Array, path: string): Promise<void> {
  await using file = await open(path, 'w', 0o600);
  await file.writeFile(bytes);
  await file.sync();
}

export async function syncWhole(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  await file.sync();
}
