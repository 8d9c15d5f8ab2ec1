import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { budget } from '../../../../test/budget.ts';
import { crc32c } from '../../../bytes/crc32c.ts';
import { blobIdOf, type BlobId } from '../../../bytes/ids.ts';
import type { Content, StoredContent } from '../../../repository/content.ts';
import { blockBytes, readIncrement } from './increment.ts';
import { patch, type Before } from './patch.ts';

const chunkBytes = 2 * blockBytes;

/** As pg_combinebackup makes it: each block from the increment, else the parent's below the truncation, else zeros. */
function combined(parent: Buffer, blocks: ReadonlyMap<number, Buffer>, truncatedTo: number): Buffer {
  const count = Math.max(truncatedTo, ...[...blocks.keys()].map((block) => block + 1));
  const result = Buffer.alloc(count * blockBytes);
  for (let block = 0; block < count; block++) {
    const at = block * blockBytes;
    const old = block < truncatedTo ? parent.subarray(at, at + blockBytes) : Buffer.alloc(0);
    (blocks.get(block) ?? old).copy(result, at);
  }
  return result;
}

function encoded(blocks: ReadonlyMap<number, Buffer>, truncatedTo: number): Buffer {
  const numbers = [...blocks.keys()].toSorted((a, b) => a - b);
  const head = Buffer.from(Uint32Array.from([0xd3ae1f0d, numbers.length, truncatedTo, ...numbers]).buffer);
  const padding = Buffer.alloc(numbers.length === 0 ? 0 : (blockBytes - (head.length % blockBytes)) % blockBytes);
  return Buffer.concat([head, padding, ...numbers.map((number) => blocks.get(number) ?? Buffer.alloc(0))]);
}

async function* inPieces(bytes: Buffer, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

class Blobs {
  readonly held = new Map<BlobId, Buffer>();
  readonly read: BlobId[] = [];

  add(bytes: Uint8Array): BlobId {
    const id = blobIdOf(createHash('sha256').update(bytes).digest());
    this.held.set(id, Buffer.from(bytes));
    return id;
  }

  readonly chunk = async (id: BlobId): Promise<Uint8Array> => {
    this.read.push(id);
    return this.held.get(id) ?? assert.fail();
  };

  readonly store = async (content: Content): Promise<StoredContent> => {
    assert.ok(content.kind === 'stream' && content.cut !== 'rabin');
    const bytes = Buffer.concat(await Array.fromAsync(content.stream));
    const ids = cutUp(bytes).map((part) => this.add(part));
    return { ids, sizeBytes: bytes.length, newBlobs: 0, newBytes: 0, storedBytes: 0 };
  };
}

function cutUp(bytes: Buffer): readonly Buffer[] {
  const count = Math.ceil(bytes.length / chunkBytes);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * chunkBytes, (at + 1) * chunkBytes));
}

function beforeOf(parent: Buffer, blobs: Blobs): Before {
  const ids = cutUp(parent).map((part) => blobs.add(part));
  return { sizeBytes: parent.length, crc32c: crc32c(0, parent), ids, chunkBytes, chunk: blobs.chunk };
}

const page = (seed: number): Buffer => Buffer.alloc(blockBytes, `page ${seed} `);
const pages = (count: number): Buffer => Buffer.concat(Array.from({ length: count }, (_, at) => page(at)));

test('what changed, put into the parent, is what a merge block by block makes, with its CRC', async () => {
  const changes = fc.dictionary(fc.integer({ min: 0, max: 19 }).map(String), fc.integer({ min: 100, max: 999 }), {
    maxKeys: 8,
  });
  const shape = fc.tuple(fc.integer({ min: 0, max: 16 }), fc.integer({ min: 0, max: 16 }), changes);
  await fc.assert(
    fc.asyncProperty(shape, fc.integer({ min: 1, max: 20_000 }), async ([length, truncatedTo, changed], pieceBytes) => {
      const [parent, blobs] = [pages(length), new Blobs()];
      const blocks = new Map(Object.entries(changed).map(([block, seed]) => [Number(block), page(seed)]));
      const increment = await readIncrement(inPieces(encoded(blocks, truncatedTo), pieceBytes));
      const patched = await patch(beforeOf(parent, blobs), increment, blobs.store);
      const expected = combined(parent, blocks, truncatedTo);
      const got = Buffer.concat(patched.stored.ids.map((id) => blobs.held.get(id) ?? assert.fail()));
      assert.ok(got.equals(expected));
      assert.deepEqual([patched.sizeBytes, patched.crc32c], [expected.length, crc32c(0, expected)]);
    }),
    { numRuns: budget.propertyRuns },
  );
});

test('chunks in which nothing changed are not read', async () => {
  const [parent, blobs] = [pages(64), new Blobs()];
  const increment = await readIncrement(inPieces(encoded(new Map([[9, page(500)]]), 64), 1 << 16));
  const before = beforeOf(parent, blobs);
  await patch(before, increment, blobs.store);
  assert.deepEqual(blobs.read, [before.ids[4]]);
});

test('an incremental file that is cut off, too long or in no order is refused', async () => {
  const right = encoded(
    new Map([
      [1, page(1)],
      [3, page(2)],
    ]),
    4,
  );
  const swapped = Buffer.from(right);
  swapped.writeUInt32LE(3, 12);
  swapped.writeUInt32LE(1, 16);
  const wrongs = [
    right.subarray(0, 10),
    right.subarray(0, -1),
    Buffer.concat([right, Buffer.alloc(1)]),
    swapped,
    Buffer.alloc(100),
  ];
  for (const wrong of wrongs)
    await assert.rejects(
      async () => {
        const blobs = new Blobs();
        await patch(beforeOf(pages(4), blobs), await readIncrement(inPieces(wrong, 1000)), blobs.store);
      },
      { code: 'source-failed' },
    );
});
