import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PipelineRepository, writerOptions } from '../../../test/support/pipeline.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { rawPathOf } from '../../bytes/ids.ts';
import { openLocal } from '../../storage/local.ts';
import { MemoryStorage } from '../../storage/memory.ts';
import type { Storage } from '../../storage/storage.ts';
import { keyOf } from '../layout.ts';
import type { Filled, NewFile } from '../repository.ts';
import { openReader } from './reader.ts';
import { openWriter } from './writer.ts';

/** One file for each blob: `0`, `1`… in the folder. */
async function filesFor(
  repository: PipelineRepository,
  blobs: readonly Uint8Array[],
  folder: string,
): Promise<readonly NewFile[]> {
  await using writer = await openWriter(repository, writerOptions());
  const stored = await Promise.all(blobs.map((blob) => writer.storeBlob('data', blob)));
  await writer.flush();
  return stored.map(({ id }, number) => {
    const location = repository.index.locate('data', id);
    assert.ok(location);
    const times = { atimeNs: 1_500_000_000_123_456_789n, mtimeNs: BigInt(number) * 1_000_000_007n - 5n };
    const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    const attributes = { ...times, ...owner, permissions: 0o640 + (number % 8), xattrs: [] };
    return { location, path: rawPathOf(join(folder, String(number))), attributes, holes: 'write-all' };
  });
}

async function make(
  repository: PipelineRepository,
  files: readonly NewFile[],
  signal = new AbortController().signal,
): Promise<Pick<Filled, 'unmade' | 'lost'>> {
  await using reader = await openReader(repository, { signal });
  const packs = Map.groupBy(files, ({ location }) => location.pack);
  const made = await Promise.all(packs.entries().map(async ([pack, wanted]) => reader.fill(pack, { files: wanted })));
  return { unmade: made.flatMap(({ unmade }) => unmade), lost: made.flatMap(({ lost }) => lost) };
}

const storages: Readonly<Record<string, (folder: string) => Promise<Storage>>> = {
  'a local folder': async (folder) => openLocal(folder, { create: true }),
  'a storage without paths': async () => new MemoryStorage(),
};

for (const [where, open] of Object.entries(storages)) {
  test(`new files are whole, with mode and times, from ${where}`, async () => {
    await using dir = await tempDir();
    mkdirSync(dir.file('target'));
    const repository = new PipelineRepository(await open(dir.file('storage')));
    const blobs = Array.from({ length: 300 }, (_, number) => randomBytes(1 + number * 61));
    const files = await filesFor(repository, blobs, dir.file('target'));
    assert.deepEqual(await make(repository, files), { unmade: [], lost: [] });
    for (const [number, { attributes }] of files.entries()) {
      const path = dir.file(`target/${number}`);
      const stats = statSync(path, { bigint: true });
      assert.equal(stats.mtimeNs, attributes.mtimeNs);
      assert.equal(Number(stats.mode & 0o7777n), attributes.permissions);
      assert.ok(readFileSync(path).equals(blobs[number] ?? Buffer.of()));
    }
  });
}

test('what stands at the path of a new file is left alone, and that file alone fails', async () => {
  await using dir = await tempDir();
  mkdirSync(dir.file('target'));
  const repository = new PipelineRepository();
  const blobs = [randomBytes(100), randomBytes(200), randomBytes(300)];
  const files = await filesFor(repository, blobs, dir.file('target'));
  writeFileSync(dir.file('target/0'), 'mine');
  writeFileSync(dir.file('outside'), 'outside');
  symlinkSync(dir.file('nowhere'), dir.file('target/1'));
  const { unmade: failures } = await make(repository, files);
  // Blobs lie in packs by chance, and so come in any order.
  assert.deepEqual(new Set(failures.map(({ file }) => file)), new Set([files[0], files[1]]));
  for (const { error } of failures) assert.match(error.message, /cannot write the data blob .*EEXIST/);
  assert.equal(readFileSync(dir.file('target/0'), 'utf8'), 'mine');
  assert.ok(lstatSync(dir.file('target/1')).isSymbolicLink());
  assert.deepEqual(readdirSync(dir.path).toSorted(), ['outside', 'target']);
  assert.ok(readFileSync(dir.file('target/2')).equals(blobs[2] ?? Buffer.of()));
});

test('a damaged blob makes no file, unless another pack has it too', async () => {
  await using dir = await tempDir();
  mkdirSync(dir.file('target'));
  const storage = new MemoryStorage();
  const repository = new PipelineRepository(storage);
  const blobs = [randomBytes(4000), randomBytes(5000)];
  const files = await filesFor(repository, blobs, dir.file('target'));
  const [first] = files;
  assert.ok(first);
  const key = keyOf('data', first.location.pack);
  const pack = Buffer.from(await storage.get(key));
  pack.writeUInt8(pack.readUInt8(first.location.offset + 50) ^ 1, first.location.offset + 50);
  await storage.remove(key);
  await storage.put(key, [pack]);
  const { unmade: failures } = await make(repository, files);
  assert.deepEqual(
    failures.map(({ file }) => file),
    [first],
  );
  assert.match(failures[0]?.error.message ?? '', /the data blob [0-9a-f]{8} in data\/[0-9a-f]{8} can't be read/);
  assert.deepEqual(readdirSync(dir.file('target')), ['1']);
  {
    await using writer = await openWriter(repository, writerOptions());
    await writer.storeBlob('data', blobs[0] ?? Buffer.of(), { evenIfKnown: true });
    await writer.flush();
  }
  assert.deepEqual(await make(repository, [first]), { unmade: [], lost: [] });
  assert.ok(readFileSync(dir.file('target/0')).equals(blobs[0] ?? Buffer.of()));
});

test('an aborted call rejects when nothing is written any more', async () => {
  await using dir = await tempDir();
  mkdirSync(dir.file('target'));
  const repository = new PipelineRepository();
  const blobs = Array.from({ length: 3000 }, (_, number) => Buffer.from(`file ${number}`));
  const files = await filesFor(repository, blobs, dir.file('target'));
  const aborting = new AbortController();
  await using reader = await openReader(repository, { signal: aborting.signal });
  const packs = Map.groupBy(files, ({ location }) => location.pack);
  const making = packs.entries().map(async ([pack, wanted]) => reader.fill(pack, { files: wanted }));
  const ended = Promise.allSettled([...making]);
  while (readdirSync(dir.file('target')).length === 0) await new Promise((resolve) => setImmediate(resolve));
  aborting.abort(new Error('stop'));
  const [outcome] = await ended;
  const made = readdirSync(dir.file('target')).length;
  assert.ok(outcome?.status === 'fulfilled' || String(outcome?.reason).includes('stop'));
  await reader[Symbol.asyncDispose]();
  assert.equal(readdirSync(dir.file('target')).length, made);
});
