import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { PipelineRepository, writerOptions } from '../../../test/support/pipeline.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { parseBlobId } from '../../bytes/ids.ts';
import { FaultyStorage } from '../../storage/fault.ts';
import { openLocal } from '../../storage/local.ts';
import { MemoryStorage } from '../../storage/memory.ts';
import type { Storage } from '../../storage/storage.ts';
import type { BlobLocation } from '../index.ts';
import { keyOf } from '../layout.ts';
import type { Placement, PlacementFailure } from '../repository.ts';
import { openReader } from './reader.ts';
import { openWriter } from './writer.ts';

const kib = 1024;
const { signal } = new AbortController();

async function repositoryWith(storage: Storage, blobs: readonly Uint8Array[]): Promise<PipelineRepository> {
  const repository = new PipelineRepository(storage);
  await using writer = await openWriter(repository, writerOptions());
  await Promise.all(blobs.map((blob) => writer.storeBlob('data', blob)));
  await writer.flush();
  return repository;
}

/** Every blob of the repository, at its place in a file where they stand one after the other. */
async function placeAll(
  repository: PipelineRepository,
  fd: number,
  blobs: readonly { readonly bytes: Uint8Array; readonly location: BlobLocation }[],
  holes: Placement['holes'],
  writeBack?: 'at once',
): Promise<readonly PlacementFailure[]> {
  await using reader = await openReader(repository, { signal, writeBack });
  let offset = 0;
  const placements = blobs.map(({ bytes, location }) => {
    const placement = { location, targets: [{ fd, offset }], holes };
    offset += bytes.length;
    return placement;
  });
  ftruncateSync(fd, offset);
  const packs = Map.groupBy(placements, ({ location }) => location.pack);
  const failures: PlacementFailure[] = [];
  for (const [pack, wanted] of packs) {
    await reader.ready();
    failures.push(...(await reader.fill(pack, { placements: wanted })).unplaced);
  }
  return failures;
}

async function located(
  repository: PipelineRepository,
  blobs: readonly Uint8Array[],
): Promise<readonly { readonly bytes: Uint8Array; readonly location: BlobLocation }[]> {
  await using writer = await openWriter(repository, writerOptions());
  return await Promise.all(
    blobs.map(async (bytes) => {
      const location = repository.index.locate('data', (await writer.storeBlob('data', bytes)).id);
      assert.ok(location);
      return { bytes, location };
    }),
  );
}

test('blobs come to their places from a local folder and from a storage without paths, with holes and without', async () => {
  await using dir = await tempDir();
  const source = Buffer.concat([randomBytes(300 * kib), Buffer.alloc(900 * kib), randomBytes(100 * kib)]);
  const piece = fc
    .tuple(fc.nat(source.length - 2), fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.nat(900_000)))
    .map(([at, size]) => source.subarray(at, at + Math.max(1, size)));
  const plan = fc.tuple(fc.array(piece, { minLength: 1, maxLength: 30 }), fc.boolean(), fc.boolean(), fc.boolean());
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(plan, async ([blobs, local, skipZeros, isSynced]) => {
      runs += 1;
      const storage = local ? await openLocal(dir.file(`storage${runs}`), { create: true }) : new MemoryStorage();
      const repository = await repositoryWith(storage, blobs);
      const fd = openSync(dir.file('target'), 'w+');
      const holes = skipZeros ? 'skip-zeros' : 'write-all';
      const writeBack = isSynced ? 'at once' : undefined;
      assert.deepEqual(await placeAll(repository, fd, await located(repository, blobs), holes, writeBack), []);
      closeSync(fd);
      assert.ok(readFileSync(dir.file('target')).equals(Buffer.concat(blobs)));
    }),
    { numRuns: 12 },
  );
  assert.equal(runs, 12);
});

test('runs of zeros take no room in the target', async () => {
  await using dir = await tempDir();
  const blobs = [Buffer.concat([Buffer.of(1), Buffer.alloc(4_000_000), Buffer.of(2)])];
  const repository = await repositoryWith(new MemoryStorage(), blobs);
  const fd = openSync(dir.file('target'), 'w+');
  await placeAll(repository, fd, await located(repository, blobs), 'skip-zeros');
  assert.ok(fstatSync(fd).blocks * 512 < 100_000);
  closeSync(fd);
  assert.ok(readFileSync(dir.file('target')).equals(blobs[0] ?? Buffer.of()));
});

test('a damaged blob is named and harms no other', async () => {
  await using dir = await tempDir();
  const storage = await openLocal(dir.file('storage'), { create: true });
  const blobs = Array.from({ length: 20 }, () => randomBytes(5000));
  const repository = await repositoryWith(storage, blobs);
  const all = await located(repository, blobs);
  const [first, second] = all;
  assert.ok(first && second);
  const path = storage.capabilities.localPath?.(keyOf('data', first.location.pack)) ?? '';
  const pack = readFileSync(path);
  pack.writeUInt8(pack.readUInt8(first.location.offset + 100) ^ 1, first.location.offset + 100);
  rmSync(path);
  writeFileSync(path, pack);
  const fd = openSync(dir.file('target'), 'w+');
  const failures = await placeAll(repository, fd, all, 'write-all');
  closeSync(fd);
  assert.deepEqual(
    failures.map(({ location }) => location.id),
    [first.location.id],
  );
  assert.match(failures[0]?.error.message ?? '', /the data blob [0-9a-f]{8} in data\/[0-9a-f]{8} can't be read/);
  const restored = readFileSync(dir.file('target'));
  assert.ok(restored.subarray(5000).equals(Buffer.concat(blobs.slice(1))));
  await using reader = await openReader(repository, { signal });
  await assert.rejects(reader.read(first.location), { code: 'damaged' });
  assert.ok(Buffer.from(await reader.read(second.location)).equals(blobs[1] ?? pack));
  truncateSync(path, 10);
  await assert.rejects(reader.read(second.location), { code: 'damaged' });
  rmSync(path);
  await assert.rejects(reader.read(second.location), { code: 'storage-not-found' });
});

test('another copy serves where one is damaged or gone', async () => {
  await using dir = await tempDir();
  const memory = new MemoryStorage();
  const bytes = randomBytes(100_000);
  const repository = await repositoryWith(memory, [bytes]);
  {
    await using writer = await openWriter(repository, writerOptions());
    await writer.storeBlob('data', bytes, { evenIfKnown: true });
    await writer.flush();
  }
  for (const location of repository.index.locations(
    'data',
    (await located(repository, [bytes]))[0]?.location.id ?? parseBlobId(''),
  )) {
    const key = keyOf('data', location.pack);
    const pack = await memory.get(key);
    await memory.remove(key);
    const fd = openSync(dir.file('target'), 'w+');
    assert.deepEqual(await placeAll(repository, fd, [{ bytes, location }], 'write-all'), []);
    closeSync(fd);
    assert.ok(readFileSync(dir.file('target')).equals(bytes));
    await using reader = await openReader(repository, { signal });
    assert.ok(Buffer.from(await reader.read(location)).equals(bytes));
    await memory.put(key, [pack]);
  }
});

test('a target that takes no bytes is its own failure', async () => {
  await using dir = await tempDir();
  const blobs = [randomBytes(1000)];
  const repository = await repositoryWith(new MemoryStorage(), blobs);
  const [blob] = await located(repository, blobs);
  assert.ok(blob);
  writeFileSync(dir.file('target'), '');
  const fd = openSync(dir.file('target'), 'r');
  await using reader = await openReader(repository, { signal });
  const targets = [{ fd, offset: 0 }];
  const placements = [{ location: blob.location, targets, holes: 'write-all' }] as const;
  const { unplaced: failures } = await reader.fill(blob.location.pack, { placements });
  closeSync(fd);
  assert.match(failures[0]?.error.message ?? '', /cannot write the data blob .*EBADF/);
});

test('an abort ends reads that a storage never answers', async () => {
  const memory = new MemoryStorage();
  const blobs = [randomBytes(1000)];
  const stored = await repositoryWith(memory, blobs);
  const [blob] = await located(stored, blobs);
  assert.ok(blob);
  const stalling = new FaultyStorage(memory, { faultFor: () => 'stall' });
  const aborting = new AbortController();
  const deps = { storage: stalling, key: stored.key, index: stored.index };
  await using reader = await openReader(deps, { signal: aborting.signal });
  const reading = reader.read(blob.location);
  aborting.abort(new Error('stop'));
  await assert.rejects(reading, /stop/);
  await assert.rejects(reader.ready(), /stop/);
  await assert.rejects(reader.fill(blob.location.pack, {}), /stop/);
});
