import { rawPath, type RawPath } from '../../bytes/ids.ts';

/** Lines of a text file as restic reads its lists: a byte order mark is taken off, UTF-16 with one is converted. */
export function linesOf(file: Uint8Array): readonly RawPath[] {
  const lines = decoded(Buffer.from(file)).toString('latin1').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => rawPath(Buffer.from(line.replace(/\r$/, ''), 'latin1')));
}

/** Without white space at both ends, Unicode's included, which stands here as its bytes in UTF-8. */
export function trimmed(line: RawPath): RawPath {
  return rawPath(Buffer.from(line.replace(leadingSpace, '').replace(trailingSpace, ''), 'latin1'));
}

const space =
  '(?:[\\t-\\r ]|\\xc2[\\x85\\xa0]|\\xe1\\x9a\\x80|\\xe2\\x80[\\x80-\\x8a\\xa8\\xa9\\xaf]|\\xe2\\x81\\x9f|\\xe3\\x80\\x80)+';
const leadingSpace = new RegExp(`^${space}`);
const trailingSpace = new RegExp(`${space}$`);

function decoded(file: Buffer): Buffer {
  if (startsWith(file, 0xef, 0xbb, 0xbf)) return file.subarray(3);
  if (startsWith(file, 0xff, 0xfe)) return Buffer.from(new TextDecoder('utf-16le').decode(file));
  if (startsWith(file, 0xfe, 0xff)) return Buffer.from(new TextDecoder('utf-16be').decode(file));
  return file;
}

function startsWith(file: Buffer, ...bytes: readonly number[]): boolean {
  return bytes.every((byte, i) => file[i] === byte);
}
