import { displayPath, type RawPath } from '../../bytes/ids.ts';
import { utf8Bytes } from '../../bytes/utf8.ts';
import type { Listener } from '../../events/events.ts';
import type { ExtendedAttribute, TreeNode } from '../entry.ts';
import { aclText } from './acl-text.ts';
import type { ArchiveFormat } from './format.ts';
import { unixPermissions } from '../unix-mode.ts';

const block = 512;
const typeFlags: Readonly<Record<string, string>> = { file: '0', symlink: '2', dir: '5' };

/**
 * The tar of POSIX.1-2001 ("pax"): the old ustar header, with a header of records before it for whatever doesn't
 * fit there. Strings are byte strings.
 */
export class TarFormat implements ArchiveFormat {
  readonly #listener: Listener;
  #written = 0;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  *entry(path: RawPath, node: TreeNode): Generator<Uint8Array> {
    this.#written = 0;
    const name = node.type === 'dir' ? `${path}/` : path;
    const records = new Map<string, string>([...this.#attributes(path, node.xattrs ?? []), ...extendedTimes(node)]);
    const header = ustarHeader(name, node, records);
    if (records.size > 0) yield* paxHeader(records);
    yield header;
  }

  async data(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
    this.#written += bytes.length;
    return [bytes];
  }

  async endOfEntry(): Promise<readonly Uint8Array[]> {
    return [padding(this.#written)];
  }

  finish(): readonly Uint8Array[] {
    return [Buffer.alloc(2 * block)];
  }

  *#attributes(path: RawPath, xattrs: readonly ExtendedAttribute[]): Generator<readonly [string, string]> {
    for (const { name, value } of xattrs) {
      const acl = aclRecords[name];
      const text = acl === undefined ? Buffer.from(value ?? []).toString('latin1') : aclText(value ?? new Uint8Array());
      if (text === undefined || name.includes('=')) this.#warn(path, `a tar can't hold its attribute ${name}`);
      else yield [acl ?? `SCHILY.xattr.${utf8Bytes(name)}`, text];
    }
  }

  #warn(path: RawPath, message: string): void {
    this.#listener({ kind: 'warning', during: 'dump', item: displayPath(path), message });
  }
}

const aclRecords: Readonly<Record<string, string>> = {
  'system.posix_acl_access': 'SCHILY.acl.access',
  'system.posix_acl_default': 'SCHILY.acl.default',
};

/** The header's time has seconds. */
function* extendedTimes({ mtimeNs }: TreeNode): Generator<readonly [string, string]> {
  if (mtimeNs < 0n || mtimeNs % billion !== 0n) yield ['mtime', decimalSeconds(mtimeNs)];
}

const billion = 1_000_000_000n;

function decimalSeconds(ns: bigint): string {
  const size = ns < 0n ? -ns : ns;
  return `${ns < 0n ? '-' : ''}${size / billion}.${(size % billion).toString().padStart(9, '0')}`;
}

/** What doesn't fit is put into `records`. */
function ustarHeader(name: string, node: TreeNode, records: Map<string, string>): Uint8Array {
  const header = Buffer.alloc(block);
  const text = (offset: number, length: number, record: string, value: string): void => {
    if (value.length > length || /[^\x01-\x7f]/.test(value)) records.set(record, value);
    header.write(value.slice(0, length), offset, 'latin1');
  };
  const number = (offset: number, length: number, record: string, value: number): void => {
    const digits = value.toString(8).padStart(length - 1, '0');
    if (digits.length >= length) records.set(record, value.toString());
    header.write(digits.length < length ? digits : '0'.repeat(length - 1), offset, 'latin1');
  };
  text(0, 100, 'path', name);
  number(100, 8, 'mode', unixPermissions(node.mode));
  number(108, 8, 'uid', node.uid);
  number(116, 8, 'gid', node.gid);
  number(124, 12, 'size', node.type === 'file' ? node.sizeBytes : 0);
  number(136, 12, 'mtime', node.mtimeNs < 0n ? 0 : Number(node.mtimeNs / billion));
  header.write(typeFlags[node.type] ?? '0', 156, 'latin1');
  text(157, 100, 'linkpath', node.type === 'symlink' ? (node.linkTarget ?? '') : '');
  header.write('ustar\x0000', 257, 'latin1');
  text(265, 32, 'uname', utf8Bytes(node.user));
  text(297, 32, 'gname', utf8Bytes(node.group));
  return withChecksum(header);
}

/** The sum of all bytes, its own field counted as blanks. */
function withChecksum(header: Buffer): Uint8Array {
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

function* paxHeader(records: ReadonlyMap<string, string>): Generator<Uint8Array> {
  const body = Buffer.from([...records].map(([key, value]) => paxRecord(key, value)).join(''), 'latin1');
  const header = Buffer.alloc(block);
  header.write('PaxHeaders.0/entry', 0, 'latin1');
  const numbers = ['0000644', '0000000', '0000000', body.length.toString(8).padStart(11, '0'), '00000000000'];
  header.write(numbers.join('\0'), 100, 'latin1');
  header.write('x', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  yield withChecksum(header);
  yield body;
  yield padding(body.length);
}

/** `<length> <key>=<value>\n`, the length counting its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const guess = rest.length + rest.length.toString().length;
  return `${rest.length + guess.toString().length}${rest}`;
}

function padding(length: number): Uint8Array {
  return Buffer.alloc((block - (length % block)) % block);
}
