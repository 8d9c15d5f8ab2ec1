import { parseFields, type Fields } from '../bytes/fields.ts';
import { HoldfastError } from '../errors/error.ts';

/** How own bytes (own-bytes.ts) are written: what a thread needs that knows no repository. */
export const [zstdMark, openBrace] = [2, 0x7b] as const;
const lineFeed = 0x0a;

/** The largest that is written or read: a segment of a log, of 1 GiB at most, and a line. */
export const maxOwnBytes = 2 ** 30 + 2 ** 20;

export function lineOf(name: string, about: Fields): Buffer {
  return Buffer.from(`${JSON.stringify({ ...about, name })}\n`);
}

/** The first line, which says what it is, and what stands behind it; `plain` may be the beginning alone. */
export function parted(plain: Uint8Array, name: string): { readonly about: Fields; readonly bytes: Uint8Array } {
  const end = plain.indexOf(lineFeed);
  if (end === -1) throw new HoldfastError('damaged', 'it has no line that says what it is');
  const about = parseFields(plain.subarray(0, end), 'its first line');
  if (about['name'] !== name) throw new HoldfastError('damaged', 'it holds the content of another object');
  return { about, bytes: plain.subarray(end + 1) };
}

export function neither(): HoldfastError {
  return new HoldfastError('damaged', 'it is neither JSON nor compressed');
}
