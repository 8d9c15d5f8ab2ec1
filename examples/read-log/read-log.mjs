// Turns the log that Holdfast keeps of a PostgreSQL cluster into plain segments, without Holdfast:
//
//   restic -r REPOSITORY cat masterkey | node read-log.mjs FOLDER COMPONENT TARGET
//
// FOLDER is the repository as a folder (of an object storage: a copy of its `holdfast/`, made by any tool). TARGET gets a
// file for each segment and each timeline's history, as restore_command = 'cp TARGET/%f %p' wants them; with several
// clusters under one component a folder each. Node 22.15 or later; nothing to install. docs/postgres.md, "The log at rest".
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';

const [folder, component, target] = process.argv.slice(2);
if (target === undefined) throw new Error('usage: node read-log.mjs FOLDER COMPONENT TARGET < master key as JSON');
const { encrypt, mac } = JSON.parse(readFileSync(0, 'utf8'));
const [encryptionKey, macK, macR] = [encrypt, mac.k, mac.r].map((text) => Buffer.from(text, 'base64'));

const little = (bytes) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex') || '0'}`);

/** Poly1305-AES, as restic authenticates: of the ciphertext, under a key made of r and AES(k, IV). */
function poly1305(iv, message) {
  const cipher = createCipheriv('aes-128-ecb', macK, null).setAutoPadding(false);
  const [r, s] = [little(macR) & 0x0ffffffc0ffffffc0ffffffc0fffffffn, little(cipher.update(iv))];
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + little(block) + (1n << BigInt(8 * block.length))) * r) % ((1n << 130n) - 5n);
  }
  return Buffer.from(((sum + s) & ((1n << 128n) - 1n)).toString(16).padStart(32, '0'), 'hex').reverse();
}

/** An object: IV, ciphertext, MAC; within: the byte 2 and a zstd frame (or neither); within: a line of JSON, and bytes. */
function readObject(name) {
  const stored = readFileSync(join(folder, name));
  const [iv, sealed, tag] = [stored.subarray(0, 16), stored.subarray(16, -16), stored.subarray(-16)];
  if (!poly1305(iv, sealed).equals(tag)) throw new Error(`${name} is damaged, or sealed by another repository`);
  const plain = createDecipheriv('aes-256-ctr', encryptionKey, iv).update(sealed);
  const opened = plain[0] === 2 ? zstdDecompressSync(plain.subarray(1)) : plain;
  const end = opened.indexOf('\n');
  const about = JSON.parse(opened.subarray(0, end).toString());
  const bytes = opened.subarray(end + 1);
  if (about.name !== name) throw new Error(`${name} holds the content of ${about.name}`);
  if (createHash('sha256').update(bytes).digest('hex') !== about.sha256) throw new Error(`${name} is not whole`);
  return bytes;
}

const list = (at) => (existsSync(join(folder, at)) ? readdirSync(join(folder, at)).sort() : []);

/** Objects below a folder, as [timeline, name] in the order of their names. */
const objectsIn = (at) => list(at).flatMap((epoch) => list(`${at}/${epoch}`).map((name) => [epoch, name]));

/** The server's name of a segment: timeline, and the segment's number in two parts. */
function segmentName(epoch, extent) {
  const [from, to] = extent.split('-').map((hex) => BigInt(`0x${hex}`));
  const [number, perPart] = [from / (to - from), 0x1_0000_0000n / (to - from)];
  return [BigInt(`0x${epoch}`), number / perPart, number % perPart]
    .map((part) => part.toString(16).toUpperCase().padStart(8, '0'))
    .join('');
}

/** A segment that is still written: its pieces, as far as they join, and zeros behind. */
function assemble(epoch, extent, spans) {
  const [from, to] = extent.split('-').map((hex) => BigInt(`0x${hex}`));
  const segment = Buffer.alloc(Number(to - from));
  let end = from;
  for (const [begin, until, name] of spans) {
    if (begin > end || until <= end) continue;
    segment.set(readObject(name), Number(begin - from));
    end = until;
  }
  return segment;
}

for (const stream of new Set(['log', 'open'].flatMap((kind) => list(`holdfast/${kind}/${component}`)))) {
  const [closed, open] = ['log', 'open'].map((kind) => `holdfast/${kind}/${component}/${stream}`);
  const into = join(target, stream);
  mkdirSync(into, { recursive: true, mode: 0o700 });
  const write = (name, bytes) => writeFileSync(join(into, name), bytes, { mode: 0o600 });
  for (const [epoch, name] of objectsIn(closed).filter(([, one]) => !one.startsWith('left-'))) {
    const [extent, kind] = name.split('.');
    if (name === 'history') write(`${epoch.toUpperCase()}.history`, readObject(`${closed}/${epoch}/${name}`));
    else if (kind === undefined) write(segmentName(epoch, extent), readObject(`${closed}/${epoch}/${name}`));
    else if (kind === 'partial')
      write(`${segmentName(epoch, extent)}.partial`, readObject(`${closed}/${epoch}/${name}`));
  }
  const pieces = objectsIn(open).map(([epoch, name]) => [epoch, ...name.split('.'), `${open}/${epoch}/${name}`]);
  for (const [epoch, extent] of new Map(pieces.map((piece) => [`${piece[0]}.${piece[1]}`, piece])).values()) {
    if (!extent.includes('-') || existsSync(join(folder, closed, epoch, extent))) continue;
    const own = pieces.filter((piece) => piece[0] === epoch && piece[1] === extent);
    const spans = own.map(([, , span, name]) => [...span.split('-').map((hex) => BigInt(`0x${hex}`)), name]);
    write(
      segmentName(epoch, extent),
      assemble(
        epoch,
        extent,
        spans.sort((a, b) => Number(a[0] - b[0] || b[1] - a[1])),
      ),
    );
  }
}
