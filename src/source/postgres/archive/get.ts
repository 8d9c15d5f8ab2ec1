import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { rawPathOf } from '../../../bytes/ids.ts';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import { reasonOf } from '../../../host/system-error.ts';
import { piecesAt } from '../../../log/cover.ts';
import type { Extent, LogStore, Piece } from '../../../log/log.ts';
import { openLog } from '../../../log/store.ts';
import { unionOf } from '../../../log/union.ts';
import type { FetchWork } from '../../log.ts';
import { readControl } from '../host/control.ts';
import { parseSegmentName, segmentFacts, segmentStart } from '../wal/segment.ts';
import { assertOfCluster, kindOfLogFile } from './log-file.ts';

/**
 * Fetches a file of the log for a server that recovers. 'absent' is proven: every place was asked, and each answered that
 * it has none; whatever keeps a place from answering is thrown, for a server that is told "absent" ends its recovery.
 */
export async function fetchFile(work: FetchWork): Promise<'delivered' | 'absent'> {
  const { file, target, dataDirectory, clock, signal, component } = work;
  const kind = kindOfLogFile(file);
  if (kind === undefined) throw new HoldfastError('usage', `${file} is no file of PostgreSQL's log`);
  if (kind === 'backup' || kind === 'partial') return 'absent'; // no server asks for them, and no log holds the first
  const control = await readControl(rawPathOf(join(dataDirectory, 'global/pg_control')), clock, signal);
  const { systemIdentifier } = control;
  await using closing = new AsyncDisposableStack();
  const places = work.places.map((place) => async (): Promise<LogStore> => {
    const repository = closing.use(await place.open());
    return openLog(repository, { component, stream: systemIdentifier });
  });
  const bytes =
    kind === 'history'
      ? await history(places, Number.parseInt(file.slice(0, 8), 16))
      : await segment(places, file, segmentBytesIn(control.bytes));
  if (bytes === undefined) return 'absent';
  if (kind === 'segment') assertOfCluster(segmentFacts(file, bytes), systemIdentifier);
  await deliver(bytes, target);
  return 'delivered';
}

type Place = () => Promise<LogStore>;

/** pg_control.h, ControlFileData.xlog_seg_size: at the same place from 14 to 18. */
function segmentBytesIn(control: Uint8Array): number {
  return new DataView(control.buffer, control.byteOffset, control.length).getUint32(228, true);
}

async function history(places: readonly Place[], epoch: number): Promise<Uint8Array | undefined> {
  return (await firstOf(places, async (store) => await store.getHistory(epoch)))?.bytes;
}

async function segment(places: readonly Place[], file: string, segmentBytes: number): Promise<Uint8Array | undefined> {
  const name = parseSegmentName(file);
  if (name === undefined) return undefined;
  const from = segmentStart(name, segmentBytes);
  const extent = { epoch: name.timeline, from, to: from + BigInt(segmentBytes) };
  const whole = await firstOf(places, async (store) => await store.get(extent));
  return whole ?? (await openSegment(places, extent));
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
    {
      await using file = await open(draft, 'w', 0o600);
      await file.writeFile(bytes);
      await file.sync();
    }
    await rename(draft, target);
  } catch (cause) {
    await rm(draft, { force: true });
    throw new HoldfastError('source-failed', `${target} can't be written: ${reasonOf(cause)}`, { cause });
  }
}
