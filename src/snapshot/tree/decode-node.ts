import { parseBlobId, rawPathOfByteString, type BlobId, type RawPath } from '../../bytes/ids.ts';
import { parseGoJson } from '../../bytes/go-json.ts';
import { unquoteGo } from '../../bytes/go-quote.ts';
import { parseGoTime } from '../../bytes/go-time.ts';
import { utf8Bytes } from '../../bytes/utf8.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { EntryType, ExtendedAttribute, TreeNode } from '../entry.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One node from its JSON; 'damaged' when a field makes no sense or the name could lead out of its directory. */
export function decodeNode(json: string): TreeNode {
  const fields = parseFields(json);
  const type = nodeType(fields['type']);
  const mtime = text(fields, 'mtime');
  const mtimeNs = timeNs(mtime);
  const atime = text(fields, 'atime');
  const node: TreeNode = {
    name: nodeName(fields['name']),
    type,
    mode: u32(fields, 'mode'),
    mtimeNs,
    atimeNs: atime === mtime ? mtimeNs : timeNs(atime),
    ctimeNs: timeNs(text(fields, 'ctime')),
    uid: u32(fields, 'uid'),
    gid: u32(fields, 'gid'),
    user: text(fields, 'user'),
    group: text(fields, 'group'),
    inode: u64(fields, 'inode'),
    deviceId: u64(fields, 'device_id'),
    sizeBytes: size(fields),
    links: u64(fields, 'links'),
    content: content(fields['content']),
  };
  return hasRareField(fields) ? { ...node, ...rareFields(fields) } : node;
}

function parseFields(json: string): Fields {
  try {
    const value = parseGoJson(json);
    if (isFields(value)) return value;
  } catch (cause) {
    throw new HoldfastError('damaged', 'a node of a tree is not JSON', { cause });
  }
  throw wrong('node', json.slice(0, 80));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nodeName(value: unknown): RawPath {
  const name = typeof value === 'string' ? unquoteGo(utf8Bytes(value)) : '';
  const leavesDirectory = name === '' || name === '.' || name === '..' || /[/\0]/.test(name);
  if (leavesDirectory) throw wrong('name', value);
  return rawPathOfByteString(name);
}

const types: ReadonlySet<unknown> = new Set<EntryType>([
  'file',
  'dir',
  'symlink',
  'dev',
  'chardev',
  'fifo',
  'socket',
  'irregular',
]);

function isEntryType(value: unknown): value is EntryType {
  return types.has(value);
}

function nodeType(value: unknown): EntryType {
  if (!isEntryType(value)) throw wrong('type', value);
  return value;
}

/** Go takes null for "leave it as it is", which is zero. */
function text(fields: Fields, field: string): string {
  const value = fields[field] ?? '';
  if (typeof value !== 'string') throw wrong(field, value);
  return value;
}

/** Go's zero time. */
const zeroTimeNs = -62_135_596_800_000_000_000n;

function timeNs(value: string): bigint {
  return value === '' ? zeroTimeNs : parseGoTime(value);
}

function u32(fields: Fields, field: string): number {
  const value = fields[field] ?? 0;
  const valid = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
  if (!valid) throw wrong(field, value);
  return value;
}

function u64(fields: Fields, field: string): bigint {
  const value = fields[field] ?? 0;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === 'bigint' && value >= 0n && value < 1n << 64n) return value;
  throw wrong(field, value);
}

function size(fields: Fields): number {
  const value = fields['size'] ?? 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong('size', value);
  return value;
}

function content(value: unknown): readonly BlobId[] | null {
  if (value === null || value === undefined) return null;
  if (!Array.isArray(value)) throw wrong('content', value);
  return value.map(blobId);
}

function blobId(value: unknown): BlobId {
  return parseBlobId(typeof value === 'string' ? value : '');
}

const rare = [
  'linktarget',
  'linktarget_raw',
  'extended_attributes',
  'generic_attributes',
  'device',
  'subtree',
  'error',
];

function hasRareField(fields: Fields): boolean {
  return rare.some((field) => fields[field] !== undefined && fields[field] !== null);
}

type RareFields = Pick<TreeNode, 'linkTarget' | 'xattrs' | 'genericAttributes' | 'device' | 'subtree' | 'error'>;

function rareFields(fields: Fields): RareFields {
  const linkTarget = rawLinkTarget(fields);
  const xattrs = extendedAttributes(fields['extended_attributes'] ?? []);
  const generic = fields['generic_attributes'] ?? undefined;
  const device = u64(fields, 'device');
  const error = text(fields, 'error');
  return {
    ...(linkTarget !== '' && { linkTarget: rawPathOfByteString(linkTarget) }),
    ...(xattrs.length > 0 && { xattrs }),
    ...(generic !== undefined && { genericAttributes: genericAttributes(generic) }),
    ...(device > 0n && { device }),
    ...(typeof fields['subtree'] === 'string' && { subtree: blobId(fields['subtree']) }),
    ...(error !== '' && { error }),
  };
}

/** The raw form is there when the target isn't UTF-8. */
function rawLinkTarget(fields: Fields): string {
  const raw = text(fields, 'linktarget_raw');
  return raw === '' ? utf8Bytes(text(fields, 'linktarget')) : Buffer.from(raw, 'base64').toString('latin1');
}

function extendedAttributes(value: unknown): readonly ExtendedAttribute[] {
  if (!Array.isArray(value)) throw wrong('extended_attributes', value);
  return value.map((attribute: unknown) => {
    if (!isFields(attribute)) throw wrong('extended_attributes', attribute);
    const stored = attribute['value'] ?? null;
    return {
      name: text(attribute, 'name'),
      value: stored === null ? null : Buffer.from(text(attribute, 'value'), 'base64'),
    };
  });
}

/** More than any system's attributes need; keeps a hostile one from exhausting the stack. */
const deepestAttribute = 16;

function genericAttributes(value: unknown): Fields {
  if (!isFields(value) || !isWithin(value, deepestAttribute)) throw wrong('generic_attributes', undefined);
  return value;
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => isWithin(member, levels - 1));
}

function wrong(field: string, value: unknown): HoldfastError {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 200)) : String(value);
  return new HoldfastError('damaged', `a tree has a node with a wrong ${field}: ${shown}`);
}
