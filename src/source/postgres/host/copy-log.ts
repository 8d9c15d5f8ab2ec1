import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { rawPathOf, systemPath, type RawPath } from '../../../bytes/ids.ts';
import { joinPath } from '../../../bytes/unix-path.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode } from '../../../host/system-error.ts';
import type { Content, StoredContent } from '../../../repository/content.ts';
import { segmentsOf, type WalRange } from '../lsn.ts';
import type { Spool } from '../spool.ts';
import { arrivedAt } from './copy-files.ts';
import { unreadable } from './listing.ts';

export interface LogOptions {
  readonly root: RawPath;
  readonly range: WalRange;
  readonly segmentBytes: number;
  readonly systemIdentifier: string;
  readonly spool: Spool;
  readonly store: (content: Content) => Promise<StoredContent>;
}

/** Every segment that the copy needs to become consistent, and the history of timelines, from the server's own pg_wal. */
export async function copyLog({ range, segmentBytes, ...options }: LogOptions): Promise<void> {
  const folder = joinPath(options.root, 'pg_wal');
  for (const name of segmentsOf(range, segmentBytes)) {
    assertSegment(joinPath(folder, name), name, { ...options, segmentBytes });
    await copy(options, folder, name);
  }
  for (const name of readdirSync(systemPath(folder)).filter((each) => /^[0-9A-F]{8}\.history$/.test(each)))
    await copy(options, folder, name);
}

async function copy(
  { spool, store }: Pick<LogOptions, 'spool' | 'store'>,
  folder: RawPath,
  name: string,
): Promise<void> {
  const place = joinPath(folder, name);
  const stat = statSync(systemPath(place), { bigint: true });
  const stored = await store({ kind: 'file', path: place, sizeBytes: Number(stat.size), cut: 'rabin' });
  if (stored.sizeBytes !== Number(stat.size)) throw gone(name);
  const path = rawPathOf(`pg_wal/${name}`);
  spool.addFile({
    ...arrivedAt({ path, type: 'file', stat }),
    crc32c: 0,
    sizeBytes: stored.sizeBytes,
    stored,
  });
}

const longHeaderBytes = 40;

/** The long header of a segment's first page (src/include/access/xlog_internal.h): position, system, size of a segment. */
function assertSegment(
  place: RawPath,
  name: string,
  { segmentBytes, systemIdentifier }: Pick<LogOptions, 'segmentBytes' | 'systemIdentifier'>,
): void {
  const header = headerOf(place, name);
  const position = header.readBigUInt64LE(8);
  const [high, low] = [Number.parseInt(name.slice(8, 16), 16), Number.parseInt(name.slice(16), 16)];
  const expected = (BigInt(high) << 32n) + BigInt(low) * BigInt(segmentBytes);
  const isOurs = header.readBigUInt64LE(24).toString() === systemIdentifier;
  if (position === expected && isOurs && header.readUInt32LE(32) === segmentBytes) return;
  throw new HoldfastError('source-failed', `pg_wal/${name} does not begin as that segment of this cluster’s log does`);
}

function headerOf(place: RawPath, name: string): Buffer {
  try {
    const fd = openSync(systemPath(place), 'r');
    try {
      const header = Buffer.alloc(longHeaderBytes);
      readSync(fd, header, 0, header.length, 0);
      return header;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw gone(name);
    throw unreadable(place, error);
  }
}

function gone(name: string): HoldfastError {
  return new HoldfastError(
    'source-failed',
    `pg_wal/${name} is gone, which the backup needs: the server recycled its log while it was backed up`,
    { next: 'Give the server a free slot (max_replication_slots, max_wal_senders) or a larger wal_keep_size.' },
  );
}
