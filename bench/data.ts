import { createCipheriv } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The data sets of the benchmark, made from a seed: the same bytes on every machine. `scale` 1 is the full size;
 * smaller ones keep the proportions.
 */
export type DataSet = 'mixed' | 'small' | 'pages';

const mib = 1024 * 1024;

/** Makes the data set below `folder` unless it is there whole already; returns its folder. */
export function makeData(set: DataSet, folder: string, scale: number): string {
  const target = join(folder, `${set}-${scale}`);
  const done = join(folder, `${set}-${scale}.done`);
  if (existsSync(done)) return target;
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  generators[set](target, scale);
  writeFileSync(done, '');
  return target;
}

const generators: Readonly<Record<DataSet, (folder: string, scale: number) => void>> = { mixed, small, pages };

/** 40 % incompressible media, 30 % logs, 20,000 small source files: 1 GiB. */
function mixed(folder: string, scale: number): void {
  mkdirSync(join(folder, 'media'));
  for (let i = 0; i < 41; i++) {
    writeFileSync(join(folder, 'media', `clip-${i}.bin`), noise(1000 + i, Math.round(10 * mib * scale)));
  }
  mkdirSync(join(folder, 'logs'));
  for (let i = 0; i < 12; i++) writeLog(join(folder, 'logs', `app-${i}.log`), 2000 + i, 25.6 * mib * scale);
  sources(join(folder, 'src'), { seed: 3000, files: Math.round(20_000 * scale), least: 2_000, most: 29_000 });
}

/** 100,000 files of 0.2 to 6 KiB, a hundred a folder. */
function small(folder: string, scale: number): void {
  sources(join(folder, 'src'), { seed: 4000, files: Math.round(100_000 * scale), least: 205, most: 6_144 });
}

const pageBytes = 8192;

/** One file of 8 KiB pages that look like a database's: a header, rows of text and numbers, free space. */
function pages(folder: string, scale: number): void {
  const random = generator(5000);
  const file = openSync(join(folder, 'table.dat'), 'w');
  const block = Buffer.alloc(128 * pageBytes);
  const blocks = Math.round((1024 * mib * scale) / block.length);
  for (let b = 0; b < blocks; b++) {
    for (let p = 0; p < 128; p++) fillPage(block.subarray(p * pageBytes, (p + 1) * pageBytes), b * 128 + p, random);
    writeSync(file, block);
  }
  closeSync(file);
}

/** Rewrites 2 % of the pages at random places: the step between two backups of *pages*. */
export function rewritePages(folder: string, scale: number, round: number): void {
  const random = generator(6000 + round);
  const file = openSync(join(folder, 'table.dat'), 'r+');
  const count = Math.round((1024 * mib * scale) / pageBytes);
  const page = Buffer.alloc(pageBytes);
  for (let i = 0; i < count * 0.02; i++) {
    const number = Math.floor(random() * count);
    fillPage(page, number, random);
    writeSync(file, page, 0, pageBytes, number * pageBytes);
  }
  closeSync(file);
}

function fillPage(page: Buffer, number: number, random: () => number): void {
  page.fill(0);
  page.writeUInt32LE(number, 0);
  page.writeUInt32LE(Math.floor(random() * 0xffffffff), 4);
  let at = 24;
  const end = pageBytes - Math.floor(random() * 1500);
  while (at < end - 90) {
    page.writeUInt32LE(Math.floor(random() * 0xffffffff), at);
    page.writeDoubleLE(random() * 1e6, at + 4);
    at +=
      12 + page.write(`${word(random)} ${word(random)} ${Math.floor(random() * 1e9)}@example.org `, at + 12, 'latin1');
  }
}

interface SourceFiles {
  readonly seed: number;
  readonly files: number;
  readonly least: number;
  readonly most: number;
}

function sources(folder: string, { seed, files, least, most }: SourceFiles): void {
  const random = generator(seed);
  const text = sourceText(random, 4 * mib);
  for (let i = 0; i < files; i++) {
    const parent = join(folder, `m${Math.floor(i / 100)}`);
    if (i % 100 === 0) mkdirSync(parent, { recursive: true });
    const length = least + Math.floor(random() * (most - least));
    const from = Math.floor(random() * (text.length - length));
    writeFileSync(
      join(parent, `f${i}.ts`),
      Buffer.concat([Buffer.from(`// ${i}\n`), text.subarray(from, from + length)]),
    );
  }
}

function sourceText(random: () => number, bytes: number): Buffer {
  const lines: string[] = [];
  for (let size = 0; size < bytes;) {
    const line = `${'  '.repeat(Math.floor(random() * 4))}const ${word(random)}${Math.floor(random() * 1000)} = ${word(random)}.${word(random)}(${word(random)}, ${Math.floor(random() * 1e6)});\n`;
    lines.push(line);
    size += line.length;
  }
  return Buffer.from(lines.join(''), 'latin1').subarray(0, bytes);
}

function writeLog(path: string, seed: number, bytes: number): void {
  const random = generator(seed);
  const file = openSync(path, 'w');
  let timeMs = 1_700_000_000_000;
  for (let written = 0; written < bytes;) {
    const lines: string[] = [];
    for (let i = 0; i < 5000; i++) {
      timeMs += Math.floor(random() * 50);
      lines.push(
        `${timeMs} INFO [worker-${Math.floor(random() * 16)}] ${word(random)} ${word(random)} id=${Math.floor(random() * 1e9).toString(16)} took ${Math.floor(random() * 900)}ms status=${random() < 0.97 ? 200 : 500}`,
      );
    }
    written += writeSync(file, lines.join('\n'));
  }
  closeSync(file);
}

const words = Array.from({ length: 2048 }, (_, i) => ((i * 2654435761) >>> 0).toString(36).replace(/[0-9]/g, 'e'));

function word(random: () => number): string {
  return words[Math.floor(random() * words.length)] ?? '';
}

/** Bytes that don't compress: an AES keystream. */
function noise(seed: number, bytes: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

/** mulberry32: small, seeded, good enough for test data. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
