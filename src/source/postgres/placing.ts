import { rawPathOfByteString, type RawPath } from '../../bytes/ids.ts';
import type { Cut } from '../../repository/content.ts';

/**
 * What of a data directory goes into a snapshot. The server itself leaves out what no copy may have (its PID, sockets,
 * slots, temporary and unlogged relations); it sends what would make a copy behave as the server does:
 *
 * - a standby.signal would bring a copy of a standby up as a live standby of production, a recovery.signal would have it
 *   wait for the log of another restore;
 * - a tablespace_map would lead the copy to the directories of production, and what it deleted there would be gone;
 * - marks in pg_wal/archive_status say what production has archived, and nothing of the copy.
 */
export function isLeftOut(path: RawPath): boolean {
  return leftOut.has(path) || /^pg_wal\/(?:archive_status|summaries)\/./.test(path);
}

const leftOut: ReadonlySet<string> = new Set([
  'standby.signal',
  'recovery.signal',
  'tablespace_map',
  'tablespace_map.old',
  'backup_label.old',
]);

/** Folders without which a server doesn't start, by the first major that needs them. */
export function neededFolders(major: number): readonly RawPath[] {
  const summaries = major >= 17 ? ['pg_wal/summaries'] : [];
  return ['pg_tblspc', 'pg_wal', 'pg_wal/archive_status', ...summaries].map(rawPathOfByteString);
}

/** The log that comes with a backup is in no manifest. */
export function isLog(path: RawPath): boolean {
  return path.startsWith('pg_wal/');
}

const relation = /^(?:base\/\d+|global|pg_tblspc\/\d+\/PG_[^/]+\/\d+)\/(?:t\d+_)?\d+(?:_(?:fsm|vm|init))?(?:\.\d+)?$/;

const kib = 1024;
const gib = 2 ** 30;

const smallestPages = 64 * kib;
const largestPages = 512 * kib;

/**
 * Pages of a relation change in their places, so that it is cut at fixed ones: 2 % of the pages changed at random touch
 * 15 % of chunks of 64 KiB and 73 % of 512 KiB. Each chunk costs the repository's clients an entry of their index and the
 * tree of its folder 67 bytes: a cluster beyond 64 GiB gets larger ones, so that 1 TiB has two million. A file keeps the
 * size that it had first, `before`, however the cluster grows.
 */
export function cutOf(path: RawPath, clusterBytes: number, before?: number): Cut {
  if (!isRelation(path)) return 'rabin';
  if (before !== undefined && isOfPages(before)) return { pagesBytes: before };
  let pagesBytes = smallestPages;
  for (let bytes = 64 * gib; bytes < clusterBytes && pagesBytes < largestPages; bytes *= 2) pagesBytes *= 2;
  return { pagesBytes };
}

export function isRelation(path: RawPath): boolean {
  return relation.test(path);
}

function isOfPages(bytes: number): boolean {
  return bytes >= smallestPages && bytes <= largestPages && bytes % smallestPages === 0;
}

const smallestChunk = 512 * kib;

/** Below this a file is one chunk. */
export function wholeBytes(cut: Cut): number {
  return cut === 'rabin' ? smallestChunk : cut.pagesBytes;
}
