import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import { isMountPoint } from '../../../host/mount-point.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import type { Extent, History } from '../../../log/log.ts';
import { beginningOf, extentOf, readLogFile } from '../archive/log-file.ts';
import { parseSegmentName, segmentFacts, segmentStart, type SegmentFacts } from '../wal/segment.ts';
import { written, type Written } from '../wal/written.ts';

/** What stands in the pg_wal of a server that doesn't run. */
export interface OldLog {
  readonly place: string;
  readonly folder: string;
  /** In the order of timelines and positions; of this cluster alone, by their headers, and those whose header can't be read. */
  readonly segments: readonly NamedSegment[];
  /** Files that say whence timelines come. */
  readonly histories: readonly string[];
  /** What was wanted and can't be read, by its name: it is tried once, for a bad sector takes its time. */
  readonly unread: Map<string, HoldfastError>;
}

export interface NamedSegment {
  readonly name: string;
  readonly extent: Extent;
  /** Whether the server has it wait to be stored. */
  readonly isReady: boolean;
}

/** What a segment was prepared for, and holds the remains of another, is none by its header. */
export async function readOldLog(place: string, stream: string): Promise<OldLog> {
  const folder = join(place, 'pg_wal');
  const names = (await namesIn(folder)).toSorted();
  const status = new Set(await namesIn(join(folder, 'archive_status')));
  const all = new Map<string, SegmentFacts | 'not readable'>();
  for (const name of names.filter(isSegmentName)) {
    const facts = await factsOf(folder, name);
    if (facts !== undefined) all.set(name, facts);
  }
  const known = [...all.values()].find((facts) => facts !== 'not readable');
  const isThere = all.size > 0 || existsSync(join(place, 'PG_VERSION'));
  if (known === undefined && isThere) throw withoutLog(place, folder);
  const segments = [...all].flatMap(([name, facts]) => {
    const extent = extentIn(name, facts, { stream, segmentBytes: known?.segmentBytes ?? 0 });
    return extent === undefined ? [] : [{ name, extent, isReady: status.has(`${name}.ready`) }];
  });
  const histories = names.filter((name) => /^[0-9A-F]{8}\.history$/.test(name));
  return { place, folder, segments, histories, unread: new Map() };
}

/** By its header, or by its name alone; undefined: another cluster’s. */
function extentIn(
  name: string,
  facts: SegmentFacts | 'not readable',
  { stream, segmentBytes }: { readonly stream: string; readonly segmentBytes: number },
): Extent | undefined {
  if (facts !== 'not readable') return String(facts.systemIdentifier) === stream ? extentOf(facts) : undefined;
  const named = parseSegmentName(name);
  if (named === undefined || segmentBytes === 0) return undefined;
  const from = segmentStart(named, segmentBytes);
  return { epoch: named.timeline, from, to: from + BigInt(segmentBytes) };
}

/** How a person gives up what only the log at a place has; a mount point itself can't be moved. */
export function givingUp(place: string): string {
  const what = isMountPoint(place)
    ? `all that is in ${place}, but for its folder pgsql_tmp.holdfast-…, where there is one,`
    : place;
  return `move ${what} away, and run the command again: then nothing is rescued from there.`;
}

/** The system identifiers that the segments of a place tell; what can't be read tells none. */
export async function clustersInLog(place: string): Promise<readonly string[]> {
  const folder = join(place, 'pg_wal');
  const found = new Set<string>();
  for (const name of (await namesIn(folder)).filter(isSegmentName)) {
    const facts = await factsOf(folder, name);
    if (facts !== undefined && facts !== 'not readable') found.add(String(facts.systemIdentifier));
  }
  return [...found];
}

function isSegmentName(name: string): boolean {
  return /^[0-9A-F]{24}$/.test(name);
}

/** A cluster always has a segment. */
function withoutLog(place: string, folder: string): HoldfastError {
  return new HoldfastError(
    'refused',
    `a cluster stands in ${place}, and no segment of its log is to be seen in ${folder}`,
    {
      next: `Mount the disk that it is on. If it is lost for good: ${givingUp(place)}`,
    },
  );
}

/** What is no segment by its header is undefined. */
async function factsOf(folder: string, name: string): Promise<SegmentFacts | 'not readable' | undefined> {
  const found = await beginningOf(join(folder, name), name).catch((error: unknown) => {
    if (hasCode(error, 'source-failed')) return undefined;
    throw error;
  });
  if (found === undefined) return 'not readable';
  try {
    return segmentFacts(name, found.bytes, found.sizeBytes);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return undefined;
  }
}

/** A disk that is gone has no log to be rescued. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw new HoldfastError('refused', `${folder} can’t be read: ${reasonOf(error)}`, {
      cause: error,
      next: 'See to its disk, and run the command again. If it is lost for good, move the data directory away first: then nothing is rescued from there.',
    });
  }
}

export interface SegmentState extends Written {
  readonly bytes: Buffer;
}

/** Undefined where it can't be read, which is noted. */
export async function stateOf(log: OldLog, { name }: NamedSegment): Promise<SegmentState | undefined> {
  if (log.unread.has(name)) return undefined;
  try {
    const bytes = await readFile(join(log.folder, name));
    return { bytes, ...written(segmentFacts(name, bytes), bytes) };
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    log.unread.set(name, notRead(log, name, error));
    return undefined;
  }
}

/** Files that say whence timelines come, by their timelines; those that can't be read, or are damaged, are noted. */
export async function historiesOf(log: OldLog, stream: string): Promise<ReadonlyMap<number, History>> {
  const found = new Map<number, History>();
  for (const name of log.histories) {
    try {
      const file = await readLogFile(log.folder, name, stream);
      if (file.kind === 'history') found.set(file.history.epoch, file.history);
    } catch (error) {
      if (!hasCode(error, 'source-failed')) throw error;
      log.unread.set(name, notRead(log, name, error));
    }
  }
  return found;
}

function notRead({ place, folder }: OldLog, name: string, cause: unknown): HoldfastError {
  const isDamaged = cause instanceof HoldfastError && cause.cause === undefined;
  const read = cause instanceof HoldfastError ? cause.cause : cause;
  const message = isDamaged ? `${folder}: ${cause.message}` : `${join(folder, name)} can’t be read: ${reasonOf(read)}`;
  const stored = isSegmentName(name)
    ? 'What else can be read of that log is stored'
    : 'Nothing of its timeline is stored by that';
  return new HoldfastError('source-failed', message, {
    cause,
    next: `${stored}, and nothing was changed there. See to its disk, and run the command again. If that file is lost for good: ${givingUp(place)}`,
  });
}
