import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { rawPath, rawPathOf, systemPath, type RawPath } from '../../src/bytes/ids.ts';
import { makeSpecialNode } from '../../src/host/mknod.ts';
import { setTimes } from '../../src/host/times.ts';
import { setXattr } from '../../src/host/xattr.ts';

/**
 * Fills a folder with one of each thing that a file system can hold: names, types, modes, owners, times, attributes.
 * Root is needed for devices, foreign owners and attributes of links.
 */
export async function makeSpecimens(folder: string): Promise<void> {
  const at = (name: string): string => join(folder, name);
  for (const name of awkwardNames()) fs.writeFileSync(systemPath(inside(folder, name)), name);
  fs.writeFileSync(at('empty'), '');
  fs.linkSync(at('empty'), at('hard-link'));
  fs.symlinkSync('somewhere/else', at('link'));
  fs.symlinkSync(Buffer.from('caf\xe9', 'latin1'), at('link-not-utf8'));
  fs.mkdirSync(at('folder'));
  fs.writeFileSync(at('folder/inside'), 'inside');
  makeModes(at);
  makeSparse(at('sparse'));
  makeSpecialNode(rawPathOf(at('fifo')), { kind: 'fifo' });
  await makeSocket(at('socket'));
  makeTimes(at);
  makeAttributes(at);
  if (process.getuid?.() === 0) makeRootsOwn(at);
}

function inside(folder: string, name: RawPath): RawPath {
  return rawPath(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]));
}

/** Names that programs stumble over, as bytes. */
function awkwardNames(): readonly RawPath[] {
  const texts = [
    'new\nline',
    'tab\t',
    ' ',
    '-rf',
    'quote"\'',
    'back\\slash',
    'ünïcödé',
    '𝔘',
    '\u2028',
    '<&>',
    'x'.repeat(255),
  ];
  const bytes = [[0xff], [0xc3, 0x28], [0x66, 0xed, 0xa0, 0x80], [0x01, 0x7f]];
  return [...texts.map(rawPathOf), ...bytes.map((each) => rawPath(Buffer.from(each)))];
}

type At = (name: string) => string;

function makeModes(at: At): void {
  for (const mode of [0o000, 0o4755, 0o2755, 0o1777, 0o7777]) {
    fs.writeFileSync(at(`mode-${mode.toString(8)}`), '');
    fs.chmodSync(at(`mode-${mode.toString(8)}`), mode);
  }
  fs.mkdirSync(at('sticky'));
  fs.chmodSync(at('sticky'), 0o1777);
}

/** Data at both ends of a mebibyte. */
function makeSparse(path: string): void {
  const fd = fs.openSync(path, 'w');
  fs.writeSync(fd, 'start', 0);
  fs.writeSync(fd, 'end', 1024 * 1024);
  fs.closeSync(fd);
}

async function makeSocket(path: string): Promise<void> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.on('error', reject);
  server.listen(path, resolve);
  await promise;
  // Closing removes the socket's name; a second one stays.
  fs.linkSync(path, `${path}-kept`);
  await server[Symbol.asyncDispose]();
}

function makeTimes(at: At): void {
  const times = { 'before-1970': -1n, 'in-1950': -631_152_000_000_000_001n, 'late': 4_102_444_800_123_456_789n };
  for (const [name, mtimeNs] of Object.entries(times)) {
    fs.writeFileSync(at(name), '');
    setTimes(rawPathOf(at(name)), { atimeNs: mtimeNs + 1n, mtimeNs });
  }
  setTimes(rawPathOf(at('link')), { atimeNs: 1n, mtimeNs: 999_999_999n });
}

function makeAttributes(at: At): void {
  fs.writeFileSync(at('attributes'), '');
  const path = rawPathOf(at('attributes'));
  setXattr(path, 'user.empty', Buffer.alloc(0));
  setXattr(path, 'user.binary', Buffer.from([0, 255, 10, 13]));
  setXattr(path, 'user.ünïcödé', Buffer.from('value'));
  setXattr(path, 'user.large', Buffer.alloc(3000, 7));
  fs.writeFileSync(at('acl'), '');
  setXattr(rawPathOf(at('acl')), 'system.posix_acl_access', accessControlList());
  setXattr(rawPathOf(at('folder')), 'system.posix_acl_default', accessControlList());
}

/** u::rw-, u:1234:r--, g::r--, m::rw-, o::--- in the kernel's form. */
function accessControlList(): Buffer {
  const entries = [
    [1, 6, 0xffffffff],
    [2, 4, 1234],
    [4, 4, 0xffffffff],
    [0x10, 6, 0xffffffff],
    [0x20, 0, 0xffffffff],
  ] as const;
  const list = Buffer.alloc(4 + 8 * entries.length);
  list.writeUInt32LE(2);
  for (const [i, [tag, permissions, id]] of entries.entries()) {
    list.writeUInt16LE(tag, 4 + 8 * i);
    list.writeUInt16LE(permissions, 6 + 8 * i);
    list.writeUInt32LE(id, 8 + 8 * i);
  }
  return list;
}

function makeRootsOwn(at: At): void {
  makeSpecialNode(rawPathOf(at('null')), { kind: 'char-device', device: 0x103n });
  makeSpecialNode(rawPathOf(at('disk')), { kind: 'block-device', device: 0xfababccdn });
  fs.writeFileSync(at('foreign'), '');
  fs.chownSync(at('foreign'), 3_000_000_000, 65_534);
  setXattr(rawPathOf(at('link')), 'trusted.mark', Buffer.from('of the link'));
}
