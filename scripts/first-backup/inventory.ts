import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { rawPath } from '../../src/bytes/ids.ts';
import { getXattr, listXattrs, xattrsAreKept } from '../../src/host/xattr.ts';

/**
 * Everything there is to know of each file below a folder, taken from the system without the program that is being
 * proven: content by hash, kind, mode, owners, times, links, holes, attributes.
 */
export type Inventory = ReadonlyMap<string, Facts>;

type Facts = Readonly<Record<string, string>>;

/** Names are kept as bytes (latin1). */
export function inventoryOf(root: string): Inventory {
  const facts = new Map<string, Facts>();
  const links = new Map<string, string>();
  visit(Buffer.from(root).toString('latin1'), '', facts, links);
  return facts;
}

function visit(root: string, path: string, facts: Map<string, Facts>, links: Map<string, string>): void {
  const full = Buffer.from(`${root}${path}`, 'latin1');
  const stat = fs.lstatSync(full, { bigint: true });
  facts.set(path === '' ? '/' : path, factsOf(full, path, stat, links));
  if (!stat.isDirectory()) return;
  const names = fs.readdirSync(full, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
  for (const name of names.toSorted()) visit(root, `${path}/${name}`, facts, links);
}

function factsOf(full: Buffer, path: string, stat: fs.BigIntStats, links: Map<string, string>): Facts {
  const id = `${stat.dev}:${stat.ino}`;
  const first = links.get(id) ?? path;
  links.set(id, first);
  return {
    mode: stat.mode.toString(8),
    owner: `${stat.uid}:${stat.gid}`,
    modified: stat.mtimeNs.toString(),
    ...(stat.isDirectory() ? {} : { 'links': stat.nlink.toString(), 'same file as': first }),
    ...(stat.isFile() ? { size: stat.size.toString(), content: hashOf(full) } : {}),
    ...(stat.isSymbolicLink() ? { target: fs.readlinkSync(full, { encoding: 'latin1' }) } : {}),
    ...(stat.isCharacterDevice() || stat.isBlockDevice() ? { device: stat.rdev.toString(16) } : {}),
    ...attributesOf(full, stat),
  };
}

const chunk = Buffer.alloc(1 << 20);
const zeros = Buffer.alloc(1 << 20);

/** Of what is read, piece by piece; holes are long, and a piece of zeros counts as the word. */
function hashOf(full: Buffer): string {
  const [file, hash] = [fs.openSync(full, 'r'), createHash('sha256')];
  try {
    for (let read = fs.readSync(file, chunk); read > 0; read = fs.readSync(file, chunk))
      hash.update(read === chunk.length && chunk.equals(zeros) ? 'zeros' : chunk.subarray(0, read));
  } finally {
    fs.closeSync(file);
  }
  return hash.digest('hex');
}

function attributesOf(full: Buffer, stat: fs.BigIntStats): Facts {
  if (!xattrsAreKept || stat.isSymbolicLink()) return {};
  const path = rawPath(full);
  return Object.fromEntries(
    listXattrs(path).map((name) => [`attribute ${name}`, Buffer.from(getXattr(path, name)).toString('hex')]),
  );
}

/** What differs, for people; empty when nothing does. */
export function differences(wanted: Inventory, found: Inventory): readonly string[] {
  const missing = [...wanted.keys()].filter((path) => !found.has(path)).map((path) => `${shown(path)}: missing`);
  const extra = [...found.keys()].filter((path) => !wanted.has(path)).map((path) => `${shown(path)}: was not there`);
  const changed = [...wanted].flatMap(([path, facts]) => {
    const now = found.get(path);
    return now === undefined ? [] : changedFacts(facts, now).map((what) => `${shown(path)}: ${what}`);
  });
  return [...missing, ...extra, ...changed];
}

function changedFacts(wanted: Facts, found: Facts): readonly string[] {
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(found)])];
  return names
    .filter((name) => wanted[name] !== found[name])
    .map((name) => `${name} is ${found[name] ?? 'missing'}, not ${wanted[name] ?? 'anything'}`);
}

function shown(path: string): string {
  return JSON.stringify(Buffer.from(path, 'latin1').toString('utf8'));
}

/** How many facts there were to compare. */
export function countFacts(inventory: Inventory): number {
  return [...inventory.values()].reduce((sum, facts) => sum + Object.keys(facts).length, 0);
}

/** Bytes that the files say they have, and those that the disk holds for them; hard links once. */
export function sizesOf(
  root: string,
  inventory: Inventory,
): { readonly bytes: number; readonly onDisk: number; readonly files: number } {
  let [bytes, onDisk, files] = [0, 0, 0];
  for (const [path, facts] of inventory) {
    if (facts['content'] === undefined || facts['same file as'] !== path) continue;
    const stat = fs.lstatSync(Buffer.concat([Buffer.from(root), Buffer.from(path, 'latin1')]));
    bytes += stat.size;
    onDisk += stat.blocks * 512;
    files += 1;
  }
  return { bytes, onDisk, files };
}
