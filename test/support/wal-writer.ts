import { crc32c } from '../../src/bytes/crc32c.ts';
import { magicOf, longHeaderBytes, pageFlags, shortHeaderBytes } from '../../src/source/postgres/wal/segment.ts';

/** A record to be written: its kind and its own data, whatever they are. */
export interface WalRecordToWrite {
  readonly manager: number;
  readonly info: number;
  readonly xid: number;
  readonly data: Uint8Array;
}

export interface WalToWrite {
  readonly major: number;
  readonly timeline: number;
  readonly systemIdentifier: bigint;
  readonly segmentBytes: number;
  /** The first byte of the first segment. */
  readonly start: bigint;
  readonly records: readonly WalRecordToWrite[];
}

const pageBytes = 8192;

/** Segments as a server would write these records, the last one filled up with zeros; and where each record begins. */
export function writeWal(wal: WalToWrite): {
  readonly segments: readonly Buffer[];
  readonly offsets: readonly number[];
} {
  const pages: Buffer[] = [];
  const offsets: number[] = [];
  let at = 0;
  let previous = 0n;
  const put = (bytes: Uint8Array): void => {
    for (let done = 0; done < bytes.length;) {
      if (at % pageBytes === 0) at += newPage(wal, pages, bytes.length - done, done > 0);
      const part = bytes.subarray(done, done + pageBytes - (at % pageBytes));
      pages.at(-1)?.set(part, at % pageBytes);
      [at, done] = [at + part.length, done + part.length];
    }
  };
  for (const record of wal.records) {
    at = Math.ceil(at / 8) * 8;
    if (at % pageBytes === 0) at += newPage(wal, pages, 0, false);
    offsets.push(at);
    const lsn = wal.start + BigInt(at);
    put(recordBytes(record, previous));
    previous = lsn;
  }
  const perSegment = wal.segmentBytes / pageBytes;
  while (pages.length % perSegment !== 0) pages.push(Buffer.alloc(pageBytes));
  const segments = Array.from({ length: pages.length / perSegment }, (_, index) =>
    Buffer.concat(pages.slice(index * perSegment, (index + 1) * perSegment)),
  );
  return { segments, offsets };
}

/** Adds a page with its header, and says how long that is. */
function newPage(wal: WalToWrite, pages: Buffer[], restBytes: number, continues: boolean): number {
  const page = Buffer.alloc(pageBytes);
  const offset = pages.length * pageBytes;
  const isLong = offset % wal.segmentBytes === 0;
  const flags = (isLong ? pageFlags.longHeader : 0) | (continues ? pageFlags.continuesRecord : 0);
  page.writeUInt16LE(magicOf(wal.major) ?? 0, 0);
  page.writeUInt16LE(flags, 2);
  page.writeUInt32LE(wal.timeline, 4);
  page.writeBigUInt64LE(wal.start + BigInt(offset), 8);
  page.writeUInt32LE(continues ? restBytes : 0, 16);
  if (isLong) {
    page.writeBigUInt64LE(wal.systemIdentifier, 24);
    page.writeUInt32LE(wal.segmentBytes, 32);
    page.writeUInt32LE(pageBytes, 36);
  }
  pages.push(page);
  return isLong ? longHeaderBytes : shortHeaderBytes;
}

function recordBytes({ manager, info, xid, data }: WalRecordToWrite, previous: bigint): Buffer {
  const isShort = data.length < 256;
  const header = Buffer.alloc(24 + (isShort ? 2 : 5));
  header.writeUInt32LE(header.length + data.length, 0);
  header.writeUInt32LE(xid, 4);
  header.writeBigUInt64LE(previous, 8);
  header.writeUInt8(info, 16);
  header.writeUInt8(manager, 17);
  header.writeUInt8(isShort ? 255 : 254, 24);
  if (isShort) header.writeUInt8(data.length, 25);
  else header.writeUInt32LE(data.length, 25);
  const crc = crc32c(crc32c(0, Buffer.concat([header.subarray(24), data])), header.subarray(0, 20));
  header.writeUInt32LE(crc, 20);
  return Buffer.concat([header, data]);
}
