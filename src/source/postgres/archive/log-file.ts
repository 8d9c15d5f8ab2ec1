import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import type { Extent, History, LogStore, Noted, PackedSegment } from '../../../log/log.ts';
import { historiesIn } from '../stream/history.ts';
import { longHeaderBytes, parseSegmentName, segmentFacts, type SegmentFacts } from '../wal/segment.ts';
import { written } from '../wal/written.ts';

/** Files that are stored and not asked for yet: beyond that whoever stores them waits for the server. */
export const mostAhead = 200;

/**
 * What a server hands over, by its name: segments; the last one of a timeline that ended within it; the file that says
 * whence a timeline comes; and where a base backup began and ended, which is for people, and which nothing needs.
 */
export type LogFileKind = 'segment' | 'partial' | 'history' | 'backup';

/** undefined: no file of the log. */
export function kindOfLogFile(name: string): LogFileKind | undefined {
  const segment = parseSegmentName(name);
  if (segment !== undefined) return segment.kind === 'whole' ? 'segment' : 'partial';
  if (/^[0-9A-F]{8}\.history$/.test(name)) return 'history';
  return /^[0-9A-F]{24}\.[0-9A-F]{8}\.backup$/.test(name) ? 'backup' : undefined;
}

export type LogFile =
  | {
      readonly kind: 'segment';
      readonly extent: Extent;
      readonly segment: PackedSegment;
      readonly noted: Noted;
    }
  | {
      readonly kind: 'partial';
      readonly extent: Extent;
      readonly bytes: Uint8Array;
      /** Behind the last record of its timeline. */
      readonly end: bigint;
    }
  | { readonly kind: 'history'; readonly history: History }
  | { readonly kind: 'backup' };

/** Reads a file of pg_wal that is no whole segment, and holds it against the cluster that it should be of. */
export async function readLogFile(folder: string, name: string, systemIdentifier: string): Promise<LogFile> {
  const kind = kindOfLogFile(name);
  if (kind === undefined) throw new HoldfastError('refused', `${name} is no file of PostgreSQL's log`);
  if (kind === 'backup') return { kind };
  const bytes = await readWhole(join(folder, name), name);
  if (kind === 'history') return { kind, history: historyOf(name, bytes) };
  const facts = segmentFacts(name, bytes);
  assertOfCluster(facts, systemIdentifier);
  return { kind: 'partial', extent: extentOf(facts), bytes, end: written(facts, bytes).end };
}

/** Those files that are whole segments, by their headers; what is none is left to whoever stores it. */
export async function segmentsAmong(
  folder: string,
  names: readonly string[],
): Promise<readonly { readonly name: string; readonly extent: Extent }[]> {
  const found: { readonly name: string; readonly extent: Extent }[] = [];
  for (const name of names.filter((one) => kindOfLogFile(one) === 'segment')) {
    try {
      const { bytes, sizeBytes } = await beginningOf(join(folder, name), name);
      found.push({ name, extent: extentOf(segmentFacts(name, bytes, sizeBytes)) });
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
    }
  }
  return found;
}

/** As much of a segment as says whose it is. */
export async function beginningOf(
  path: string,
  name: string,
): Promise<{ readonly bytes: Uint8Array; readonly sizeBytes: number }> {
  try {
    await using file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(longHeaderBytes), 0, longHeaderBytes, 0);
    return { bytes: buffer.subarray(0, bytesRead), sizeBytes: (await file.stat()).size };
  } catch (cause) {
    throw new HoldfastError('source-failed', `the log's file ${name} can't be read: ${reasonOf(cause)}`, { cause });
  }
}

export function extentOf({ timeline, start, end }: SegmentFacts): Extent {
  return { epoch: timeline, from: start, to: end };
}

/** A data directory may hold a segment that was copied into it. */
export function assertOfCluster(facts: SegmentFacts, systemIdentifier: string): void {
  const own = String(facts.systemIdentifier);
  if (own === systemIdentifier) return;
  throw new HoldfastError('refused', `${facts.name} is of another cluster, ${own}: this one is ${systemIdentifier}`, {
    next: 'Find out how it came into pg_wal. Nothing was stored.',
  });
}

export function epochOf(file: LogFile): number {
  if (file.kind === 'backup') return 1;
  return file.kind === 'history' ? file.history.epoch : file.extent.epoch;
}

/** What a data directory says of a timeline; undefined where it has no file of it. */
export async function ownHistory(dataDirectory: string, epoch: number): Promise<History | undefined> {
  const name = `${epoch.toString(16).toUpperCase().padStart(8, '0')}.history`;
  try {
    return historyOf(name, await readFile(join(dataDirectory, 'pg_wal', name)));
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    if (errorCode(cause) === undefined) throw cause;
    throw new HoldfastError('source-failed', `the log's file ${name} can't be read: ${reasonOf(cause)}`, { cause });
  }
}

async function readWhole(path: string, name: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new HoldfastError('source-failed', `the log's file ${name} can't be read: ${reasonOf(cause)}`, { cause });
  }
}

function historyOf(name: string, bytes: Buffer): History {
  const timeline = Number.parseInt(name.slice(0, 8), 16);
  const [history] = historiesIn(timeline, bytes);
  if (history !== undefined) return { ...history, bytes };
  throw new HoldfastError('source-failed', `${name} does not say whence its timeline comes`);
}

/** Durable when it resolves; the same bytes may be there already. */
export async function storeLogFile(store: LogStore, file: LogFile): Promise<void> {
  switch (file.kind) {
    case 'segment':
      return void (await store.put(file.extent, file.segment, file.noted));
    case 'partial':
      return await storePartial(store, file);
    case 'history':
      return void (await store.putHistory(file.history));
    case 'backup':
      return undefined;
  }
}

/** What is written of it is a piece, too: by that the timeline is known to reach there, and is replayed to its end. */
async function storePartial(
  store: LogStore,
  { extent, bytes, end }: Extract<LogFile, { readonly kind: 'partial' }>,
): Promise<void> {
  const piece = { segment: extent, from: extent.from, to: end };
  if (end > extent.from) await store.putPiece(piece, bytes.subarray(0, Number(end - extent.from)));
  await store.putPartial(extent, bytes);
}
