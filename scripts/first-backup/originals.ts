import * as fs from 'node:fs';
import { join } from 'node:path';
import { rawPath, type RawPath } from '../../src/bytes/ids.ts';
import { makeSpecialNode, specialNodesAreKept } from '../../src/host/mknod.ts';
import { errorCode } from '../../src/host/system-error.ts';
import { setXattr, xattrsAreKept } from '../../src/host/xattr.ts';
import { Random } from './random.ts';

const pageBytes = 8192;

/**
 * Makes the files that are backed up: what a home folder and a small server hold, and what backups stumble over. A
 * `share` of them has fewer and smaller files, of all the same kinds.
 */
export function makeOriginals(root: string, share = 1): void {
  const random = new Random(20260801);
  fs.mkdirSync(root, { recursive: true });
  makeDocuments(join(root, 'documents'), random, share);
  makeCode(join(root, 'code'), random, share);
  makeServer(join(root, 'server'), random, share);
  makeOddities(Buffer.from(join(root, 'odd')), random);
  makeLinks(root);
  stampTimes(root, random);
}

function makeDocuments(folder: string, random: Random, share: number): void {
  for (const year of ['2023', '2024', '2025']) {
    const within = join(folder, year);
    fs.mkdirSync(within, { recursive: true });
    for (let n = 0; n < Math.max(5, 60 * share); n += 1)
      fs.writeFileSync(join(within, `letter-${n}.txt`), random.prose(300 + random.below(40_000)));
  }
  const photos = join(folder, 'photos');
  fs.mkdirSync(photos);
  for (let n = 0; n < 16 * share; n += 1)
    fs.writeFileSync(join(photos, `IMG_${2000 + n}.jpg`), random.bytes(300_000 + random.below(1_200_000)));
  fs.cpSync(photos, join(folder, 'photos for ann'), { recursive: true });
}

function makeCode(folder: string, random: Random, share: number): void {
  for (let module = 0; module < Math.max(4, 40 * share); module += 1) {
    const within = join(folder, `module-${module}`, 'src');
    fs.mkdirSync(within, { recursive: true });
    for (let n = 0; n < 25; n += 1)
      fs.writeFileSync(join(within, `part-${n}.ts`), random.prose(200 + random.below(6000)));
  }
  fs.writeFileSync(join(folder, 'build.sh'), '#!/bin/sh\nexec make\n', { mode: 0o755 });
}

function makeServer(folder: string, random: Random, share: number): void {
  fs.mkdirSync(folder);
  fs.writeFileSync(join(folder, 'access.log'), random.prose(6_000_000 * share));
  fs.writeFileSync(join(folder, 'shop.db'), Buffer.concat(Array.from({ length: 1536 * share }, () => page(random))));
  const disk = fs.openSync(join(folder, 'disk.img'), 'w');
  const pieceBytes = 700_000 * share;
  for (const offset of [0, 50_000_000, 200_000_000]) {
    fs.writeSync(disk, random.bytes(pieceBytes), 0, pieceBytes, offset * share);
  }
  fs.ftruncateSync(disk, 256 * 2 ** 20 * share);
  fs.closeSync(disk);
}

/** Half of it compresses, as in a database. */
function page(random: Random): Buffer {
  return Buffer.concat([random.bytes(pageBytes / 2), random.prose(pageBytes / 2)]);
}

/** Names and kinds of files that have broken backups. */
function makeOddities(folder: Buffer, random: Random): void {
  const at = (name: string | Buffer): Buffer => Buffer.concat([folder, Buffer.from('/'), Buffer.from(name)]);
  fs.mkdirSync(folder);
  const names = [
    'line\nbreak',
    ' spaces ',
    '-rf',
    '"quotes"',
    "it's",
    'back\\slash',
    '*?[glob]',
    'tab\there',
    'ünïcödé 漢字 🦊',
    'x'.repeat(255),
  ];
  for (const name of [...names, Buffer.from([0x66, 0xff, 0xfe, 0x6c])]) fs.writeFileSync(at(name), random.prose(100));
  fs.writeFileSync(at('empty'), '');
  fs.mkdirSync(at('empty folder'));
  fs.mkdirSync(at('closed folder'), { mode: 0o700 });
  fs.writeFileSync(at('secret'), random.prose(50), { mode: 0o600 });
  fs.writeFileSync(at('setuid'), random.prose(50));
  fs.chmodSync(at('setuid'), 0o4755);
  fs.mkdirSync(at('sticky'));
  fs.chmodSync(at('sticky'), 0o1777);
  if (xattrsAreKept) setAttributes(rawPath(at('secret')));
  if (specialNodesAreKept) makeSpecialNode(rawPath(at('fifo')), { kind: 'fifo' });
  if (process.getuid?.() !== 0) return;
  fs.chownSync(at('empty'), 1234, 4321);
  if (specialNodesAreKept) makeSpecialNode(rawPath(at('null device')), { kind: 'char-device', device: 0x103n });
}

/** An access list: the owner reads and writes, user 1234 and the group read. In Linux's own form. */
const accessList = Buffer.from(
  '02000000' + '01000600ffffffff' + '02000400d2040000' + '04000400ffffffff' + '10000400ffffffff' + '20000000ffffffff',
  'hex',
);

/** Some file systems hold no attributes; then the tree has none. */
function setAttributes(path: RawPath): void {
  const wanted: Readonly<Record<string, Uint8Array>> = {
    'user.comment': Buffer.from('kept with the file'),
    'user.binary': Buffer.from([0, 1, 255]),
    ...(process.platform === 'linux' ? { 'system.posix_acl_access': accessList } : {}),
  };
  for (const [name, value] of Object.entries(wanted)) {
    try {
      setXattr(path, name, value);
    } catch (error) {
      if (errorCode(error) !== 'ENOTSUP') throw error;
    }
  }
}

function makeLinks(root: string): void {
  const links = join(root, 'links');
  fs.mkdirSync(links);
  fs.symlinkSync('../documents/2025', join(links, 'this year'));
  fs.symlinkSync('/nowhere/at/all', join(links, 'dangling'));
  fs.symlinkSync('loop', join(links, 'loop'));
  fs.linkSync(join(root, 'server/access.log'), join(links, 'same log'));
  fs.linkSync(join(root, 'documents/2023/letter-1.txt'), join(links, 'same letter'));
}

/** Times with nanoseconds and from before 1970, deepest first, since writing into a folder changes its time. */
function stampTimes(root: string, random: Random): void {
  const entries = fs
    .readdirSync(root, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile() || entry.isDirectory());
  for (const entry of entries.toReversed()) {
    const path = join(entry.parentPath, entry.name);
    const when = 1_600_000_000 + random.below(150_000_000) + random.below(1e9) / 1e9;
    if (fs.existsSync(path)) fs.utimesSync(path, when, random.below(50) === 0 ? -86_400.5 : when);
  }
}
