import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'node:test';
import { unquoteGo } from '../src/bytes/go-quote.ts';
import { parseGoTime } from '../src/bytes/go-time.ts';
import { fileIdOf } from '../src/bytes/ids.ts';
import { HoldfastError } from '../src/errors/error.ts';
import { decodeIndexFile } from '../src/repository/index-file.ts';
import { decodeHeader, encodeHeader } from '../src/repository/pack.ts';
import { decodeSnapshot } from '../src/snapshot/snapshot.ts';
import { decodeTree } from '../src/snapshot/tree.ts';
import { budget } from './budget.ts';
import { prove } from './support/proof.ts';

/** Sound inputs with bytes changed, put in, taken out and repeated: a decoder gives a value or a HoldfastError. */
const id = 'ab'.repeat(32);
const time = '2026-08-01T10:00:00.123456789+02:00';

interface Decoder {
  readonly name: string;
  readonly sound: Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
}

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

/** Where, what is done there, and with which bytes. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat(8),
  insert: fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.constantFrom(...tokens())),
});

function tokens(): readonly Uint8Array[] {
  const texts = [
    'null',
    '-1',
    '1e999',
    '[]',
    '{}',
    '""',
    '"\\ud800"',
    '[[[[',
    '99999999999999999999',
    '\\x',
    '__proto__',
  ];
  return texts.map((text) => Buffer.from(text));
}

for (const { name, sound, decode } of decoders) {
  test(`whatever is done to a ${name}, it is decoded or refused`, { timeout: 3_400_000 }, (context) => {
    let [runs, refused] = [0, 0];
    const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    const property = fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      runs += 1;
      try {
        decode(changes.reduce((bytes, each) => applied(bytes, each), sound));
      } catch (error) {
        assert.ok(error instanceof HoldfastError && error.code === 'damaged', String(error));
        refused += 1;
      }
    });
    fc.assert(property, { numRuns: budget.fuzzRuns, seed });
    assert.ok(runs >= budget.fuzzRuns && refused > runs / 10, `${refused} of ${runs} were refused`);
    decode(sound);
    prove(context, {
      claim: `whatever is done to a ${name}, it is decoded or refused`,
      count: `${runs} runs`,
      seeds: [seed],
    });
  });
}

interface Change {
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

function applied(bytes: Uint8Array, { at, remove, insert }: Change): Uint8Array {
  const from = Math.floor(at * bytes.length);
  return Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)]);
}
