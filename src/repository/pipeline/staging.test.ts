import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { PipelineRepository, writerOptions } from '../../../test/support/pipeline.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { HoldfastError } from '../../errors/error.ts';
import { openLocal } from '../../storage/local.ts';
import { MemoryStorage } from '../../storage/memory.ts';
import type { StagedObject } from '../../storage/storage.ts';
import { openWriter } from './writer.ts';

const packSizeBytes = 4 * 2 ** 20;

async function storeBlobs(repository: PipelineRepository, blobs: readonly Uint8Array[]): Promise<void> {
  await using writer = await openWriter(repository, writerOptions({ packSizeBytes }));
  for (const blob of blobs) {
    await writer.ready();
    await writer.storeBlob('data', blob);
  }
  await writer.flush();
}

function temporaries(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith('~'));
}

test('packs of any size are whole in a storage that stages them', async () => {
  await using dir = await tempDir();
  const repository = new PipelineRepository(await openLocal(dir.file('storage'), { create: true }));
  const sizes = [1, 1000, 1_200_000, 1_500_000, 900_000, 2 ** 20 - 32, 2 ** 20, 5_000_000, 300_000];
  const blobs = sizes.map((size) => randomBytes(size));
  for (let count = 1; count <= blobs.length; count += 2) await storeBlobs(repository, blobs.slice(0, count));
  const read = await repository.blobs();
  const ids = [...repository.index.all()].map(({ id }) => id);
  assert.equal(ids.length, blobs.length);
  const lengths = await Promise.all(ids.map(async (id) => (await read('data', id)).length));
  assert.deepEqual(
    lengths.toSorted((a, b) => a - b),
    sizes.toSorted((a, b) => a - b),
  );
  assert.deepEqual(temporaries(dir.file('storage')), []);
});

class BrokenStages extends MemoryStorage {
  readonly error = new HoldfastError('storage-full', 'no space left');
  readonly stage = async (): Promise<StagedObject> => ({
    write: () => Promise.reject(this.error),
    commit: async () => assert.fail('a broken object is committed'),
    read: async () => assert.fail('a broken object is read'),
    [Symbol.asyncDispose]: async () => undefined,
  });
}

test('a staged pack that can not be written ends the writer, and no index names it', async () => {
  const storage = new BrokenStages();
  const repository = new PipelineRepository(storage);
  const blobs = Array.from({ length: 12 }, () => randomBytes(900_000));
  await assert.rejects(storeBlobs(repository, blobs), storage.error);
  assert.deepEqual(await repository.indexed(), []);
});

test('what an aborted writer had staged is gone', async () => {
  await using dir = await tempDir();
  const repository = new PipelineRepository(await openLocal(dir.file('storage'), { create: true }));
  {
    await using writer = await openWriter(repository, writerOptions({ packSizeBytes }));
    for (let number = 0; number < 6; number += 1) await writer.storeBlob('data', randomBytes(1_000_000));
  }
  assert.deepEqual(temporaries(dir.file('storage')), []);
});

/** Stages in memory; each commit fails, and what is read back is as `spoil` makes it. */
class FailingCommits extends MemoryStorage {
  commits = 0;
  readonly error = new HoldfastError('storage-failed', 'input/output error');
  readonly #spoil: (bytes: Uint8Array) => Uint8Array;

  constructor(spoil: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes) {
    super();
    this.#spoil = spoil;
  }

  readonly stage = async (): Promise<StagedObject> => {
    const parts: Uint8Array[] = [];
    return {
      write: async (data) => void parts.push(...data.map((part) => Uint8Array.from(part))),
      commit: () => {
        this.commits += 1;
        return Promise.reject(this.error);
      },
      read: async () => this.#spoil(Buffer.concat(parts)),
      [Symbol.asyncDispose]: async () => undefined,
    };
  };
}

test('a staged pack whose commit fails in passing is read back and stored, and the backup goes on', async () => {
  const storage = new FailingCommits();
  const repository = new PipelineRepository(storage);
  const blobs = Array.from({ length: 12 }, () => randomBytes(900_000));
  await storeBlobs(repository, blobs);
  assert.ok(storage.commits > 0);
  const read = await repository.blobs();
  const ids = [...repository.index.all()].map(({ id }) => id);
  assert.equal(ids.length, blobs.length);
  for (const id of ids) assert.equal((await read('data', id)).length, 900_000);
});

test('a staged pack that reads back otherwise after its commit failed ends the writer', async () => {
  const storage = new FailingCommits((bytes) => bytes.with(1000, 1 ^ (bytes[1000] ?? 0)));
  const repository = new PipelineRepository(storage);
  const blobs = Array.from({ length: 12 }, () => randomBytes(900_000));
  await assert.rejects(storeBlobs(repository, blobs), storage.error);
  assert.deepEqual(await repository.indexed(), []);
});
