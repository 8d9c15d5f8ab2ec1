import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import { isMountPoint } from '../../../host/mount-point.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import type { Extent } from '../../../log/log.ts';
import { beginningOf } from '../archive/log-file.ts';
import { segmentFacts, type SegmentFacts } from '../wal/segment.ts';
import { written, type Written } from '../wal/written.ts';

/** What stands in the pg_wal of a server that doesn't run. */
export interface OldLog {
  readonly folder: string;
  /** In the order of timelines and positions; of this cluster alone, by their headers. */
  readonly segments: readonly NamedSegment[];
  /** Files that say whence timelines come. */
  readonly histories: readonly string[];
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
  const segments: NamedSegment[] = [];
  let readable = 0;
  for (const name of names.filter(isSegmentName)) {
    const facts = await factsOf(folder, name);
    if (facts === undefined) continue;
    readable += 1;
    const { systemIdentifier, timeline, start, end } = facts;
    if (String(systemIdentifier) !== stream) continue;
    const extent = { epoch: timeline, from: start, to: end };
    segments.push({ name, extent, isReady: status.has(`${name}.ready`) });
  }
  if (readable === 0 && existsSync(join(place, 'PG_VERSION'))) throw withoutLog(place, folder);
  return {
    folder,
    segments,
    histories: names.filter((name) => /^[0-9A-F]{8}\.history$/.test(name)),
  };
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
    try {
      const facts = await factsOf(folder, name);
      if (facts !== undefined) found.add(String(facts.systemIdentifier));
    } catch (error) {
      if (!hasCode(error, 'source-failed')) throw error;
    }
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

/** What can't be read throws; what is no segment by its header is undefined. */
async function factsOf(folder: string, name: string): Promise<SegmentFacts | undefined> {
  const { bytes, sizeBytes } = await beginningOf(join(folder, name), name);
  try {
    return segmentFacts(name, bytes, sizeBytes);
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
    throw new HoldfastError('refused', `${folder} can’t be read: ${reasonOf(error)}`, { cause: error });
  }
}

export interface SegmentState extends Written {
  readonly bytes: Buffer;
}

export async function stateOf({ folder }: Pick<OldLog, 'folder'>, { name }: NamedSegment): Promise<SegmentState> {
  const bytes = await readFile(join(folder, name));
  return { bytes, ...written(segmentFacts(name, bytes), bytes) };
}
