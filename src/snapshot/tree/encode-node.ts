import { goJsonString, goJsonValue } from '../../bytes/go-json.ts';
import { quoteGo } from '../../bytes/go-quote.ts';
import { goTime } from '../../bytes/go-time.ts';
import type { RawPath } from '../../bytes/ids.ts';
import { isUtf8, utf8Bytes } from '../../bytes/utf8.ts';
import type { Zone } from '../../clock/zone.ts';
import type { ExtendedAttribute, TreeNode } from '../entry.ts';

/**
 * A node's JSON as restic writes it (one char a byte): its fields in its order, left out when empty where it
 * leaves them out. The hash of this text is a tree's identity, so nothing may ever change here.
 */
export function encodeNode(node: TreeNode, zone: Zone): string {
  return (
    `${encodeHead(node.name, node, zone)}${content(node.content)}` +
    `${node.subtree === undefined ? '' : `,"subtree":"${node.subtree}"`}${text('error', node.error ?? '')}}`
  );
}

/** As `encodeNode`, up to where the value of `content` stands. */
export function encodeHead(name: RawPath, node: Omit<TreeNode, 'name' | 'content'>, zone: Zone): string {
  const mtime = goTime(node.mtimeNs, zone);
  const atime = node.atimeNs === node.mtimeNs ? mtime : goTime(node.atimeNs, zone);
  const ctime = node.ctimeNs === node.mtimeNs ? mtime : goTime(node.ctimeNs, zone);
  return (
    `{"name":${goJsonString(quoteGo(name))},"type":"${node.type}"${number('mode', node.mode)}` +
    `,"mtime":"${mtime}","atime":"${atime}","ctime":"${ctime}","uid":${node.uid},"gid":${node.gid}` +
    `${text('user', node.user)}${text('group', node.group)}${number('inode', node.inode)}` +
    `${number('device_id', node.deviceId)}${number('size', node.sizeBytes)}${number('links', node.links)}` +
    `${link(node.linkTarget)}${xattrs(node.xattrs)}${generic(node.genericAttributes)}` +
    `${number('device', node.device ?? 0n)},"content":`
  );
}

function number(field: string, value: number | bigint): string {
  return value === 0 || value === 0n ? '' : `,"${field}":${value}`;
}

function text(field: string, value: string): string {
  return value === '' ? '' : `,"${field}":${goJsonString(utf8Bytes(value))}`;
}

function link(target: RawPath | undefined): string {
  if (target === undefined || target === '') return '';
  const raw = isUtf8(target) ? '' : `,"linktarget_raw":"${Buffer.from(target, 'latin1').toString('base64')}"`;
  return `,"linktarget":${goJsonString(target)}${raw}`;
}

function xattrs(attributes: readonly ExtendedAttribute[] | undefined): string {
  if (attributes === undefined || attributes.length === 0) return '';
  return `,"extended_attributes":[${attributes.map(xattr).join(',')}]`;
}

function xattr({ name, value }: ExtendedAttribute): string {
  const encoded = value === null ? 'null' : `"${value.toBase64()}"`;
  return `{"name":${goJsonString(utf8Bytes(name))},"value":${encoded}}`;
}

/** Go writes a map sorted by its keys' bytes. */
function generic(attributes: Readonly<Record<string, unknown>> | undefined): string {
  const keys = Object.keys(attributes ?? {}).toSorted((a, b) => (utf8Bytes(a) < utf8Bytes(b) ? -1 : 1));
  if (keys.length === 0) return '';
  const members = keys.map((key) => `${goJsonString(utf8Bytes(key))}:${goJsonValue(attributes?.[key])}`);
  return `,"generic_attributes":{${members.join(',')}}`;
}

function content(ids: TreeNode['content']): string {
  if (ids === null) return 'null';
  return ids.length === 0 ? '[]' : `["${ids.join('","')}"]`;
}
