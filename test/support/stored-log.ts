import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/clock/clock.ts';
import { coverFrom, lineageOf } from '../../src/log/cover.ts';
import type { Extent, History, Listing, LogStore, Piece } from '../../src/log/log.ts';
import { openLog, streamsOf } from '../../src/log/store.ts';
import { openRepository } from '../../src/repository/open.ts';
import { segmentsOf } from '../../src/source/postgres/lsn.ts';
import { openLocal } from '../../src/storage/local.ts';

/** What a repository of a scene holds of the log of shop-db. */
export interface StoredLog {
  readonly stream: string;
  readonly store: LogStore;
  readonly listing: Listing;
  readonly histories: readonly History[];
  /** Up to where nothing is missing on the newest timeline; 0 where nothing is held. */
  readonly end: bigint;
}

async function storedLogs<T>(folder: string, body: (logs: readonly StoredLog[]) => Promise<T>): Promise<T> {
  const storage = await openLocal(folder);
  await using repository = await openRepository({ storage, clock: systemClock, password: 'secret' });
  const logs: StoredLog[] = [];
  for (const stream of await streamsOf(repository, 'shop-db')) {
    const store = openLog(repository, { component: 'shop-db', stream });
    const listing = await store.list();
    const histories: History[] = [];
    for (const epoch of listing.histories) histories.push(await store.getHistory(epoch));
    logs.push({ stream, store, listing, histories, end: endOf(listing, histories) });
  }
  return await body(logs);
}

/** Of the only stream. */
export async function storedLog<T>(folder: string, body: (log: StoredLog) => Promise<T>): Promise<T> {
  return await storedLogs(folder, async ([log, ...more]) => {
    if (log === undefined || more.length > 0) throw new Error(`${more.length} logs more than one`);
    return await body(log);
  });
}

function endOf(listing: Listing, histories: readonly History[]): bigint {
  const starts = [...listing.segments, ...listing.pieces.map(({ segment }) => segment)].map(({ from }) => from);
  const newest = Math.max(1, ...listing.histories);
  const lineage = lineageOf(newest, histories);
  const [first] = starts.toSorted((a, b) => (a < b ? -1 : 1));
  return lineage === undefined || first === undefined ? 0n : coverFrom(listing, lineage, first).to;
}

/** Names whatever is stored otherwise than the server has it in its pg_wal. */
export async function unlikeServer({ store, listing }: StoredLog, data: string): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const extent of listing.segments) {
    const name = fileOf(extent);
    const own = await readFile(join(data, 'pg_wal', name));
    if (Buffer.compare(own, await store.get(extent)) !== 0) wrong.push(name);
  }
  for (const piece of listing.pieces) {
    const name = fileOf(piece.segment);
    const own = await readFile(join(data, 'pg_wal', name));
    if (Buffer.compare(partOf(own, piece), await store.getPiece(piece)) !== 0) wrong.push(`${name}, a piece`);
  }
  return wrong;
}

function fileOf({ epoch, from, to }: Extent): string {
  const [name = ''] = segmentsOf({ timeline: epoch, start: from, end: to }, Number(to - from));
  return name;
}

function partOf(bytes: Uint8Array, { segment, from, to }: Piece): Uint8Array {
  return bytes.subarray(Number(from - segment.from), Number(to - segment.from));
}
