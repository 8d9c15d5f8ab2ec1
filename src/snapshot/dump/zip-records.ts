import { dateOfDay } from '../../bytes/calendar.ts';
import { isUtf8 } from '../../bytes/utf8.ts';

/** What the two headers of an entry say; sizes in bytes. Strings are byte strings. */
export interface ZipEntry {
  readonly name: string;
  readonly method: 'stored' | 'deflated';
  /** Whether the sizes come behind the data, because they aren't known before. */
  readonly sizes: 'before' | 'behind';
  /** Whether sizes have 64 bits. */
  readonly isLarge: boolean;
  readonly mtimeSeconds: number;
  /** Type and permissions as in st_mode. */
  readonly unixMode: number;
  readonly offset: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly plainBytes: number;
}

const most32 = 0xffffffff;
const zip64Version = 45;

type Field = readonly [size: 2 | 4 | 8, value: number];

/** Numbers, the low byte first. */
function record(...fields: readonly Field[]): Buffer {
  const bytes = Buffer.alloc(fields.reduce((length, [size]) => length + size, 0));
  let at = 0;
  for (const [size, value] of fields) {
    bytes.writeUIntLE(size === 8 ? value % 2 ** 32 : value, at, size === 2 ? 2 : 4);
    if (size === 8) bytes.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
    at += size;
  }
  return bytes;
}

export function localHeader(entry: ZipEntry): Buffer {
  const name = Buffer.from(entry.name, 'latin1');
  const known = entry.sizes === 'before' ? entry : { crc: 0, packedBytes: 0, plainBytes: 0 };
  const large = record([2, 1], [2, 16], [8, known.plainBytes], [8, known.packedBytes]);
  const extra = Buffer.concat([timestamp(entry), ...(entry.isLarge ? [large] : [])]);
  const sizes: readonly Field[] = entry.isLarge
    ? [
        [4, most32],
        [4, most32],
      ]
    : [
        [4, known.packedBytes],
        [4, known.plainBytes],
      ];
  const head = record([4, 0x04034b50], ...common(entry), [4, known.crc], ...sizes, [2, name.length], [2, extra.length]);
  return Buffer.concat([head, name, extra]);
}

/** Behind the data of an entry whose sizes weren't known before. */
export function dataDescriptor({ crc, packedBytes, plainBytes, isLarge }: ZipEntry): Buffer {
  const size = isLarge ? 8 : 4;
  return record([4, 0x08074b50], [4, crc], [size, packedBytes], [size, plainBytes]);
}

export function centralHeader(entry: ZipEntry): Buffer {
  const name = Buffer.from(entry.name, 'latin1');
  const isLarge = entry.isLarge || entry.offset >= most32;
  const sizes = [entry.plainBytes, entry.packedBytes, entry.offset];
  const large = record([2, 1], [2, 24], ...sizes.map((size) => [8, size] as const));
  const extra = Buffer.concat([timestamp(entry), ...(isLarge ? [large] : [])]);
  const [plain = 0, packed = 0, offset = 0] = isLarge ? [most32, most32, most32] : sizes;
  const attributes = entry.unixMode * 65_536 + (entry.name.endsWith('/') ? 0x10 : 0);
  const madeByUnix = 3 * 256 + zip64Version;
  const head = record([4, 0x02014b50], [2, madeByUnix], ...common(entry), [4, entry.crc], [4, packed], [4, plain]);
  const tail = record([2, name.length], [2, extra.length], [2, 0], [2, 0], [2, 0], [4, attributes], [4, offset]);
  return Buffer.concat([head, tail, name, extra]);
}

/** Version, flags, method and time, which both headers have. */
function common(entry: ZipEntry): readonly Field[] {
  const flags = (entry.sizes === 'behind' ? 0x08 : 0) + (isUtf8(entry.name) ? 0x800 : 0);
  const method = entry.method === 'deflated' ? 8 : 0;
  return [[2, entry.isLarge ? zip64Version : 20], [2, flags], [2, method], ...dosTime(entry.mtimeSeconds)];
}

/** Two seconds exact, from 1980 to 2107, in UTC; the timestamp beside it says it better. */
function dosTime(seconds: number): readonly Field[] {
  const day = Math.floor(seconds / 86_400);
  const { year, month, dayOfMonth } = dateOfDay(day);
  const second = seconds - day * 86_400;
  if (year < 1980)
    return [
      [2, 0],
      [2, 0x21],
    ];
  const time = Math.floor(second / 3600) * 2048 + (Math.floor(second / 60) % 60) * 32 + Math.floor((second % 60) / 2);
  return [
    [2, time],
    [2, (Math.min(year, 2107) - 1980) * 512 + month * 32 + dayOfMonth],
  ];
}

/** The "extended timestamp" with the modification time. */
function timestamp({ mtimeSeconds }: ZipEntry): Buffer {
  if (mtimeSeconds < -(2 ** 31) || mtimeSeconds >= 2 ** 31) return Buffer.alloc(0);
  const extra = Buffer.alloc(9);
  extra.writeUInt16LE(0x5455, 0);
  extra.writeUInt16LE(5, 2);
  extra.writeUInt8(1, 4);
  extra.writeInt32LE(mtimeSeconds, 5);
  return extra;
}

export interface Directory {
  readonly entries: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Ends the archive; where a number is too large for the old record, a new one before it has it. */
export function endOfDirectory({ entries, offset, sizeBytes }: Directory): Buffer {
  const isLarge = entries >= 0xffff || offset >= most32 || sizeBytes >= most32;
  const counts = [
    [2, Math.min(entries, 0xffff)],
    [2, Math.min(entries, 0xffff)],
  ] as const;
  const end = record(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    ...counts,
    [4, Math.min(sizeBytes, most32)],
    [4, Math.min(offset, most32)],
    [2, 0],
  );
  if (!isLarge) return end;
  const head = record([4, 0x06064b50], [8, 44], [2, 3 * 256 + zip64Version], [2, zip64Version], [4, 0], [4, 0]);
  const numbers = record([8, entries], [8, entries], [8, sizeBytes], [8, offset]);
  const locator = record([4, 0x07064b50], [4, 0], [8, offset + sizeBytes], [4, 1]);
  return Buffer.concat([head, numbers, locator, end]);
}
