import { hash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { RabinChunker } from '../src/chunking/chunker.ts';
import { parsePolynomial } from '../src/chunking/polynomial.ts';
import { compressTransient } from '../src/compression/zstd.ts';

/**
 * `node bench/postgres-growth.ts --data FOLDER`: what a second backup stores after 2 % of the pages of a cluster's largest
 * relation have changed, by the size of the chunks; nothing of the cluster is written. A changed page has another position in
 * the log, another checksum and 120 other bytes, as a row that was updated in its place. 'random': pages all over the
 * file, as by a key; 'runs': as many, in runs of 16. Beside it what 1 TiB of such chunks takes.
 */
const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '/var/tmp/holdfast-bench-postgres/cluster-pgbench-100' },
    share: { type: 'string', default: '0.02' },
  },
});
const pageBytes = 8192;
const largestRead = 512 * 2 ** 20;
const [nonceAndMac, entryOfPack] = [32, 41];
/** Of the index in memory: an entry and the head of its chain. Of a tree: an ID in quotes and a comma. */
const [indexBytes, treeBytes] = [56, 67];
const kib = 1024;
const mib = kib * kib;

type Cuts = (bytes: Buffer) => Generator<Buffer>;

const before = largestRelation(resolve(values.data));
const cuts: readonly (readonly [name: string, cuts: Cuts])[] = [
  ['by content, 1 MiB', byContent],
  ...[8, 16, 32, 64, 128, 256, 512].map((size) => [`${size} KiB`, atPages(size * kib)] as const),
];
for (const pattern of ['random', 'runs'] as const) table(pattern);

function table(pattern: 'random' | 'runs'): void {
  const after = changed(before, Number(values.share), pattern === 'random' ? 1 : 16);
  console.log(`\n${pattern}: ${Math.round(before.length / mib)} MiB\n`);
  console.log(
    '| chunks | first, MiB stored | chunks changed | growth, MiB stored | of content-defined | 1 TiB: chunks, index, trees |',
  );
  console.log('| --- | --- | --- | --- | --- | --- |');
  let byContentBytes = 0;
  for (const [name, cut] of cuts) {
    const known = new Set<string>();
    const first = store(cut(before), known);
    const second = store(cut(after), known);
    byContentBytes ||= second.stored;
    const chunks = Math.round((first.chunks / before.length) * 2 ** 40);
    const tib = `${(chunks / 1e6).toFixed(1)} M, ${size(chunks * indexBytes)}, ${size(chunks * treeBytes)}`;
    const share = (100 * second.stored) / byContentBytes;
    const touched = ((100 * second.added) / second.chunks).toFixed(0);
    console.log(
      `| ${name} | ${(first.stored / mib).toFixed(1)} | ${touched} % | ${(second.stored / mib).toFixed(1)} | ${share.toFixed(0)} % | ${tib} |`,
    );
  }
}

function size(bytes: number): string {
  return bytes < 2 ** 30 ? `${(bytes / mib).toFixed(0)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

function store(chunks: Iterable<Buffer>, known: Set<string>): { chunks: number; added: number; stored: number } {
  const sum = { chunks: 0, added: 0, stored: 0 };
  for (const chunk of chunks) {
    const id = hash('sha256', chunk);
    sum.chunks += 1;
    if (known.has(id)) continue;
    known.add(id);
    sum.added += 1;
    sum.stored += compressTransient(chunk, 'auto').length + nonceAndMac + entryOfPack;
  }
  return sum;
}

function* byContent(bytes: Buffer): Generator<Buffer> {
  const chunker = new RabinChunker(parsePolynomial('3da3358b4dc173'));
  let [start, end, read] = [0, 0, 0];
  for (;;) {
    const length = chunker.next(start, end, read === bytes.length ? 'final' : 'more');
    if (length > 0) {
      yield Buffer.from(chunker.buffer.subarray(start, start + length));
      start += length;
    } else if (read === bytes.length) return;
    else {
      chunker.buffer.copyWithin(0, start, end);
      [start, end] = [0, end - start];
      const part = bytes.subarray(read, read + chunker.buffer.length - end);
      chunker.buffer.set(part, end);
      end += part.length;
      read += part.length;
    }
  }
}

function atPages(chunkBytes: number): Cuts {
  return function* (bytes) {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  };
}

function changed(bytes: Buffer, share: number, run: number): Buffer {
  const result = Buffer.from(bytes);
  const pages = Math.floor(bytes.length / pageBytes);
  const touched = new Set<number>();
  for (let turn = 0; touched.size < pages * share; turn += 1) {
    const first = randomAt(turn, pages);
    for (let page = first; page < Math.min(first + run, pages); page += 1) touched.add(page);
  }
  for (const page of touched) {
    const other = Buffer.from(hash('sha512', `page ${page}`) + hash('sha512', `more ${page}`), 'latin1');
    const at = page * pageBytes;
    other.copy(result, at, 0, 10);
    other.copy(result, at + 512 + randomAt(page, pageBytes - 1024), 10, 130);
  }
  return result;
}

/** The same in each run. */
function randomAt(turn: number, below: number): number {
  return Number.parseInt(hash('sha256', `at ${turn}`).slice(0, 12), 16) % below;
}

function largestRelation(data: string): Buffer {
  const folder = join(data, 'base');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^\d+(?:\.\d+)?$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name));
  const [largest] = files.toSorted((a, b) => statSync(b).size - statSync(a).size);
  if (largest === undefined) throw new Error(`${data} has no relations`);
  return readFileSync(largest).subarray(0, largestRead);
}
