import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { PipelineRepository, writerOptions } from '../../../test/support/pipeline.ts';
import { tempDir, type TempDir } from '../../../test/support/temp-dir.ts';
import { crc32c } from '../../bytes/crc32c.ts';
import { rawPathOf, type BlobId } from '../../bytes/ids.ts';
import { FaultyStorage, type FaultOptions } from '../../storage/fault.ts';
import { MemoryStorage } from '../../storage/memory.ts';
import type { Content, Cut } from '../content.ts';
import { blobIdFor } from '../../crypto/id.ts';
import { openWriter } from './writer.ts';

const kib = 1024;
const mib = 1024 * kib;

/** Half of it compresses. */
function bytesOf(sizeBytes: number, seed = 0): Buffer {
  const bytes = randomBytes(sizeBytes);
  bytes.fill(`line ${seed}\n`, sizeBytes >> 2, sizeBytes - (sizeBytes >> 2));
  return bytes;
}

function file(dir: TempDir, name: string, bytes: Uint8Array, cut: Cut = 'rabin'): Content {
  writeFileSync(dir.file(name), bytes);
  return { kind: 'file', path: rawPathOf(dir.file(name)), sizeBytes: bytes.length, cut };
}

function streamOf(bytes: Uint8Array, pieceBytes: number): Content {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  };
  return { kind: 'stream', stream: pieces(), cut: 'rabin' };
}

async function contentOf(repository: PipelineRepository, ids: readonly BlobId[]): Promise<Buffer> {
  const read = await repository.blobs();
  return Buffer.concat(await Promise.all(ids.map((id) => read('data', id))));
}

test('what is stored in whatever order comes back, each blob once, large files by several workers', async () => {
  await using dir = await tempDir();
  const repository = new PipelineRepository();
  const large = bytesOf(37 * mib, 1);
  const contents = [
    ...Array.from({ length: 600 }, (_, number) => bytesOf((number * 37) % 9000, number % 50)),
    ...[512 * kib - 1, 512 * kib, 512 * kib + 1, 3 * mib, 8 * mib - 1, 8 * mib].map((size) => bytesOf(size)),
    large,
    large,
    Buffer.alloc(20 * mib),
  ];
  await using writer = await openWriter(repository, writerOptions());
  const stored = await Promise.all(
    contents.map(async (bytes, number) => {
      await writer.ready();
      return writer.store(file(dir, `${number}`, bytes));
    }),
  );
  await writer.flush();
  const read = await repository.blobs();
  for (const [number, { ids, sizeBytes }] of stored.entries()) {
    assert.equal(sizeBytes, contents[number]?.length);
    assert.ok(Buffer.concat(await Promise.all(ids.map((id) => read('data', id)))).equals(contents[number] ?? large));
  }
  const locations = await repository.indexed();
  assert.equal(new Set(locations.map(({ id }) => id)).size, locations.length, 'each blob is stored once');
  assert.equal(writer.totals.dataBlobs, locations.length);
  assert.equal(repository.index.size, locations.length);
  assert.deepEqual(await repository.packs(), new Set(locations.map(({ pack }) => pack)));
});

test('a file, a stream of it and a file of twice the length share their blobs', async () => {
  await using dir = await tempDir();
  const repository = new PipelineRepository();
  const bytes = bytesOf(45 * mib);
  await using writer = await openWriter(repository, writerOptions());
  const first = await writer.store(file(dir, 'once', bytes));
  const streamed = await writer.store(streamOf(bytes, 300_001));
  assert.deepEqual(streamed.ids, first.ids);
  assert.equal(streamed.newBlobs, 0);
  assert.equal(streamed.sizeBytes, bytes.length);
  const twice = await writer.store(file(dir, 'twice', Buffer.concat([bytes, bytes])));
  assert.deepEqual(twice.ids.slice(0, first.ids.length - 1), first.ids.slice(0, -1));
  await writer.flush();
  assert.ok((await contentOf(repository, streamed.ids)).equals(bytes));
});

test('a file of pages is cut at multiples of their size', async () => {
  await using dir = await tempDir();
  const repository = new PipelineRepository();
  const bytes = randomBytes(3 * mib + 5000);
  await using writer = await openWriter(repository, writerOptions());
  const stored = await writer.store(file(dir, 'pages', bytes, { pagesBytes: 64 * kib }));
  assert.equal(stored.ids.length, 49);
  const streamed = await writer.store({ ...streamOf(bytes, 77_777), cut: { pagesBytes: 64 * kib } } as Content);
  assert.deepEqual(streamed.ids, stored.ids);
  await writer.flush();
  assert.ok((await contentOf(repository, stored.ids)).equals(bytes));
});

test('any contents, with duplicates, are readable after the flush', async () => {
  await using dir = await tempDir();
  let runs = 0;
  const piece = fc.record({ seed: fc.nat(5), sizeBytes: fc.oneof(fc.nat(3000), fc.nat(1_500_000)) });
  const plan = fc.record({
    contents: fc.array(fc.tuple(fc.array(piece, { maxLength: 4 }), fc.boolean()), { maxLength: 12 }),
    trees: fc.array(fc.nat(4), { maxLength: 5 }),
    compression: fc.constantFrom('off' as const, 'fastest' as const, 'auto' as const),
    extraVerify: fc.constantFrom('verified' as const, 'unverified' as const),
  });
  const source = [0, 1, 2, 3, 4, 5].map((seed) => bytesOf(1_500_000, seed));
  await fc.assert(
    fc.asyncProperty(plan, async ({ contents, trees, compression, extraVerify }) => {
      runs += 1;
      const repository = new PipelineRepository();
      await using writer = await openWriter(repository, writerOptions({ compression, extraVerify }));
      const whole = contents.map(([pieces]) =>
        Buffer.concat(pieces.map(({ seed, sizeBytes }) => (source[seed] ?? Buffer.of()).subarray(0, sizeBytes))),
      );
      const storing = whole.map((bytes, number) =>
        writer.store(contents[number]?.[1] ? streamOf(bytes, 100_000) : file(dir, `${number}`, bytes)),
      );
      const storedTrees = trees.map((number) => writer.storeTree(Buffer.from(`{"nodes":[${number}]}\n`)));
      await writer.flush();
      const read = await repository.blobs();
      for (const [number, content] of storing.entries()) {
        const { ids } = await content;
        assert.ok(
          Buffer.concat(await Promise.all(ids.map((id) => read('data', id)))).equals(whole[number] ?? Buffer.of()),
        );
      }
      for (const [number, tree] of storedTrees.entries()) {
        assert.equal((await read('tree', (await tree).id)).toString(), `{"nodes":[${trees[number]}]}\n`);
      }
    }),
    { numRuns: 15 },
  );
  assert.equal(runs, 15);
});

test('a file that is gone, a link or shorter than it was concerns nobody but itself', async () => {
  await using dir = await tempDir();
  const repository = new PipelineRepository();
  await using writer = await openWriter(repository, writerOptions());
  const gone = file(dir, 'gone', randomBytes(100));
  rmSync(dir.file('gone'));
  const goneLarge = file(dir, 'gone large', randomBytes(9 * mib));
  rmSync(dir.file('gone large'));
  const shorter = file(dir, 'shorter', randomBytes(10 * mib));
  truncateSync(dir.file('shorter'), 9 * mib);
  const small = file(dir, 'small', randomBytes(2000));
  writeFileSync(dir.file('small'), randomBytes(700 * kib));
  const link = file(dir, 'link', randomBytes(100));
  rmSync(dir.file('link'));
  symlinkSync('small', dir.file('link'));
  const results = await Promise.allSettled([gone, goneLarge, link, shorter, small].map((each) => writer.store(each)));
  const failed = results.slice(0, 3).map((result) => (result.status === 'rejected' ? String(result.reason) : ''));
  assert.match(failed[0] ?? '', /cannot read .*gone: ENOENT/);
  assert.match(failed[1] ?? '', /cannot read .*gone large: ENOENT/);
  assert.match(failed[2] ?? '', /cannot read .*link: ELOOP/);
  const sizes = results.slice(3).map((result) => (result.status === 'fulfilled' ? result.value.sizeBytes : -1));
  assert.deepEqual(sizes, [9 * mib, 700 * kib]);
  await writer.flush();
});

test('a stream that fails rejects its content and nothing else', async () => {
  const repository = new PipelineRepository();
  await using writer = await openWriter(repository, writerOptions());
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield randomBytes(5 * mib);
    throw new Error('the dump ended with 1');
  };
  const failing = writer.store({ kind: 'stream', stream: broken(), cut: 'rabin' });
  await assert.rejects(failing, { code: 'source-failed', message: /the dump ended with 1/ });
  const { ids } = await writer.store(streamOf(Buffer.from('whole'), 2));
  await writer.flush();
  assert.equal((await contentOf(repository, ids)).toString(), 'whole');
});

test('a stream that is looked at tells the checksum of all of it', async () => {
  await using writer = await openWriter(new PipelineRepository(), writerOptions());
  for (const sizeBytes of [0, 1, 3 * mib + 7, 26 * mib]) {
    const bytes = bytesOf(sizeBytes);
    const stored = await writer.store({ ...streamOf(bytes, 99_999), look: 'crc32c' } as Content);
    assert.deepEqual(stored.read, { crc32c: crc32c(0, bytes), wrongBlocks: [] });
  }
});

async function storeOn(options: FaultOptions): Promise<{ repository: PipelineRepository; error: unknown }> {
  await using dir = await tempDir();
  const repository = new PipelineRepository(new FaultyStorage(new MemoryStorage(), options));
  await using writer = await openWriter(repository, writerOptions());
  const store = async (): Promise<void> => {
    for (let number = 0; number < 12; number += 1) {
      await writer.ready();
      await writer.store(file(dir, `${number}`, randomBytes(1_400_000)));
    }
    await writer.flush();
  };
  const error = await store().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { repository, error };
}

test('when the storage fails, no index names a missing pack, and the blobs count as unknown again', async () => {
  for (const failing of [1, 2, 3, 4, 5]) {
    const { repository, error } = await storeOn({
      faultFor: ({ number }) => (number === failing ? 'error' : undefined),
    });
    assert.equal((error as { code?: string }).code, 'storage-failed', `operation ${failing}`);
    const packs = await repository.packs();
    for (const { pack } of await repository.indexed()) assert.ok(packs.has(pack));
    assert.equal(repository.index.claimed, 0);
    assert.equal(repository.index.size, (await repository.indexed()).length);
  }
});

test('a full storage ends the writer with its error', async () => {
  const { error } = await storeOn({ fullAfterBytes: 6 * mib });
  assert.equal((error as { code?: string }).code, 'storage-full');
});

test('an abort ends everything under way, also what waits for a stream or a storage that stalls', async () => {
  await using dir = await tempDir();
  const aborting = new AbortController();
  const repository = new PipelineRepository(new FaultyStorage(new MemoryStorage(), { faultFor: () => 'stall' }));
  await using writer = await openWriter(repository, writerOptions({ signal: aborting.signal }));
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    yield randomBytes(100);
    await new Promise<never>(() => undefined);
  };
  const stream = writer.store({ kind: 'stream', stream: endless(), cut: 'rabin' });
  await Promise.all([1, 2, 3, 4].map((number) => writer.store(file(dir, `${number}`, randomBytes(3 * mib)))));
  aborting.abort(new Error('stop'));
  await assert.rejects(stream, /stop/);
  await assert.rejects(writer.flush(), /stop/);
  await assert.rejects(async () => await writer.ready(), /stop/);
  await assert.rejects(writer.store(streamOf(randomBytes(10), 10)), /stop/);
});

test('a dry run tells what would be stored and stores nothing', async () => {
  await using dir = await tempDir();
  const repository = new PipelineRepository();
  {
    await using writer = await openWriter(repository, writerOptions({ mode: 'dry-run' }));
    const stored = await writer.store(file(dir, 'a', bytesOf(2 * mib)));
    assert.ok(stored.newBlobs > 0 && stored.storedBytes < stored.newBytes);
    await writer.flush();
  }
  assert.deepEqual(await repository.indexed(), []);
  assert.equal((await repository.packs()).size, 0);
  assert.equal(repository.index.claimed, 0);
});

test('small contents end in one pack of each type', async () => {
  const repository = new PipelineRepository();
  await using writer = await openWriter(repository, writerOptions());
  for (let number = 0; number < 20; number += 1) await writer.store(streamOf(Buffer.from(`content ${number}`), 100));
  await writer.storeTree(Buffer.from('{"nodes":[]}\n'));
  await writer.flush();
  assert.equal((await repository.packs()).size, 2);
});

test('a known blob is stored once more when asked for', async () => {
  const repository = new PipelineRepository();
  await using writer = await openWriter(repository, writerOptions());
  const bytes = Buffer.from('again');
  const { id } = await writer.storeBlob('data', bytes);
  await writer.flush();
  assert.equal((await writer.storeBlob('data', bytes)).known, true);
  assert.equal((await writer.storeBlob('data', bytes, { evenIfKnown: true })).known, false);
  await writer.flush();
  assert.equal(repository.index.locations('data', id).length, 2);
  assert.deepEqual((await writer.store({ kind: 'blobs', ids: [id, id] })).sizeBytes, 10);
});

test('few bytes are one blob, none are no blob, and what was stored before is what it was then', async () => {
  const repository = new PipelineRepository();
  await using writer = await openWriter(repository, writerOptions());
  const bytes = Buffer.from('few');
  const stored = await writer.store({ kind: 'bytes', bytes });
  assert.deepEqual(stored.ids, [blobIdFor(bytes)]);
  assert.deepEqual([stored.sizeBytes, stored.newBlobs, stored.newBytes], [3, 1, 3]);
  assert.equal((await writer.store({ kind: 'bytes', bytes })).newBlobs, 0);
  assert.deepEqual((await writer.store({ kind: 'bytes', bytes: new Uint8Array() })).ids, []);
  assert.equal(await writer.store({ kind: 'stored', stored }), stored);
});

/** Pages with nothing in them but a position in the log and a checksum that is not theirs. */
function wrongPages(count: number, lsn: bigint): Buffer {
  const pages = Buffer.alloc(count * 8192, 1);
  for (let at = 0; at < pages.length; at += 8192) {
    pages.writeUInt32LE(Number(lsn >> 32n), at);
    pages.writeUInt32LE(Number(lsn & 0xffff_ffffn), at + 4);
  }
  return pages;
}

test('of a live file so much is stored as was seen, zeros for what it lost, and what was read is told', async () => {
  await using dir = await tempDir();
  const repository = new PipelineRepository();
  await using writer = await openWriter(repository, writerOptions());
  const pages = { pageBytes: 8192, firstBlock: 131072, before: 2n ** 32n + 5n };
  for (const sizeBytes of [0, 3000, 64 * kib, 3 * mib + 8192, 20 * mib + 4096])
    for (const change of [-sizeBytes >> 1, 0, 100_000]) {
      const found = bytesOf(Math.max(0, sizeBytes + change), sizeBytes);
      writeFileSync(dir.file('live'), found);
      const expected = Buffer.alloc(sizeBytes);
      found.copy(expected);
      for (const cut of ['rabin', { pagesBytes: 64 * kib }] as const) {
        await writer.ready();
        const path = rawPathOf(dir.file('live'));
        const stored = await writer.store({ kind: 'live-file', path, sizeBytes, cut });
        await writer.flush();
        assert.deepEqual(await contentOf(repository, stored.ids), expected);
        assert.deepEqual(stored.read, { crc32c: crc32c(0, expected), wrongBlocks: [] });
      }
    }
  for (const [count, lsn, wrong] of [
    [2, 2n ** 32n + 4n, [131072, 131073]],
    [1100, 5n, Array.from({ length: 1100 }, (_, number) => 131072 + number)],
    [2, 2n ** 32n + 5n, []],
  ] as const) {
    writeFileSync(dir.file('live'), wrongPages(count, lsn));
    const content = {
      path: rawPathOf(dir.file('live')),
      sizeBytes: count * 8192,
      cut: { pagesBytes: 64 * kib },
      pages,
    };
    const { read } = await writer.store({ kind: 'live-file', ...content });
    assert.deepEqual(read?.wrongBlocks, wrong);
  }
});

test('a live file that is gone fails by itself', async () => {
  await using dir = await tempDir();
  await using writer = await openWriter(new PipelineRepository(), writerOptions());
  const gone = { kind: 'live-file', path: rawPathOf(dir.file('gone')), cut: { pagesBytes: 64 * kib } } as const;
  for (const sizeBytes of [10, 20 * mib])
    await assert.rejects(writer.store({ ...gone, sizeBytes }), /cannot read .*gone: ENOENT/);
});
