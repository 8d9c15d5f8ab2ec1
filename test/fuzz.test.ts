import { test } from 'node:test';
import { unquoteGo } from '../src/bytes/go-quote.ts';
import { parseGoTime } from '../src/bytes/go-time.ts';
import { fileIdOf } from '../src/bytes/ids.ts';
import { decodeIndexFile } from '../src/repository/index-file.ts';
import { decodeHeader, encodeHeader } from '../src/repository/pack.ts';
import { decodeSnapshot } from '../src/snapshot/snapshot.ts';
import { decodeTree } from '../src/snapshot/tree.ts';
import { fuzz, type Decoder } from './support/fuzzing.ts';

const id = 'ab'.repeat(32);
const time = '2026-08-01T10:00:00.123456789+02:00';

const node = {
  name: 'caf\\xe9',
  type: 'file',
  mode: 420,
  mtime: time,
  atime: time,
  ctime: time,
  size: 3,
  content: [id],
};
const decoders: readonly Decoder[] = [
  {
    name: 'snapshot',
    sound: json({ time, tree: id, paths: ['/a'], hostname: 'h', uid: 1, tags: ['x'], parent: id, summary: {} }),
    decode: (bytes) => decodeSnapshot(fileIdOf(new Uint8Array(32)), bytes),
  },
  {
    name: 'tree',
    sound: json({ nodes: [node, { ...node, name: 'd', type: 'dir', subtree: id, generic_attributes: { a: [1] } }] }),
    decode: (bytes) => [...decodeTree(bytes)],
  },
  {
    name: 'index',
    sound: json({ packs: [{ id, blobs: [{ id, type: 'data', offset: 0, length: 99, uncompressed_length: 100 }] }] }),
    decode: (bytes) => decodeIndexFile(bytes, 'index'),
  },
  { name: 'pack header', sound: packHeader(), decode: (bytes) => decodeHeader(bytes, 10_000) },
  { name: 'quoted name', sound: Buffer.from('a\\n\\u00e9\\x00\\"\\377'), decode: (bytes) => unquoteGo(latin1(bytes)) },
  { name: 'time', sound: Buffer.from(time), decode: (bytes) => parseGoTime(latin1(bytes)) },
];

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function packHeader(): Uint8Array {
  const [blob] = decodeIndexFile(
    json({ packs: [{ id, blobs: [{ id, type: 'tree', offset: 0, length: 99, uncompressed_length: 100 }] }] }),
    'index',
  ).packs.flatMap(({ blobs }) => blobs);
  return encodeHeader(blob === undefined ? [] : [blob, { ...blob, type: 'data', compressed: false }]);
}

for (const decoder of decoders) {
  test(`whatever is done to a ${decoder.name}, it is decoded or refused`, { timeout: 3_400_000 }, async (context) => {
    await fuzz(context, decoder);
  });
}
