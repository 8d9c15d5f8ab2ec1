import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silent } from '../src/events/events.ts';
import { check } from '../src/job/check.ts';
import { parseSubset } from '../src/repository/check.ts';
import { keyOf } from '../src/repository/layout.ts';
import { openRepository } from '../src/repository/open.ts';
import { anySnapshot } from '../src/snapshot/snapshots.ts';
import { openLocal } from '../src/storage/local.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import type { GetOptions, Storage } from '../src/storage/storage.ts';
import { runRestic, withoutRestic } from './servers/restic.ts';
import { jobContext, newRepository } from './support/engine.ts';
import { runHoldfast } from './support/holdfast.ts';
import { impatientClock } from './support/impatient-clock.ts';
import { writerOptions } from './support/pipeline.ts';
import { blobBytes } from './support/repository.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepository } from './support/two-tools.ts';

const packs = 60;
const packBytes = 2000;

/** Knows which packs were read. */
class WatchedStorage extends MemoryStorage {
  readonly read = new Set<string>();

  override async get(key: string, options?: GetOptions): Promise<Uint8Array> {
    if (key.startsWith('data/')) this.read.add(key);
    return super.get(key, options);
  }
}

/** Blobs as large as a pack have one each. Their keys. */
async function fill(storage: Storage): Promise<readonly string[]> {
  const opened = { storage, clock: impatientClock, password: 'secret' };
  const repository = await openRepository(opened);
  {
    await using writer = await repository.openWriter(writerOptions({ packSizeBytes: packBytes }));
    for (let number = 0; number < packs; number += 1) await writer.storeBlob('data', blobBytes(`${number}`, packBytes));
    await writer.flush();
  }
  const keys = await Array.fromAsync(repository.list('data'), ({ id }) => keyOf('data', id));
  assert.equal(keys.length, packs);
  return keys.toSorted();
}

async function readBy(storage: WatchedStorage, subset: string): Promise<readonly string[]> {
  storage.read.clear();
  const options = { filter: anySnapshot, random: Math.random, data: parseSubset(subset) };
  const { errors } = await check({ ...jobContext(storage), listener: silent }, options);
  assert.equal(errors, 0);
  return [...storage.read].toSorted();
}

const sevenths = [1, 2, 3, 4, 5, 6, 7].map((number) => `${number}/7`);

test('the seven sevenths together read every pack once', async () => {
  const storage = new WatchedStorage();
  await newRepository(storage);
  const all = await fill(storage);
  const parts = await Array.fromAsync(sevenths, (subset) => readBy(storage, subset));
  assert.deepEqual(parts.flat().toSorted(), all);
  assert.ok(parts.every((part) => part.length < packs / 2));
});

test('a percentage, and a size, read about that share, another one each time', async () => {
  const storage = new WatchedStorage();
  await newRepository(storage);
  const all = await fill(storage);
  const sizes = await Promise.all(all.map(async (key) => (await storage.stat(key)).sizeBytes));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  for (const [subset, wanted] of [
    ['10%', 6],
    ['50%', 30],
    ['1%', 1],
    ['100%', 60],
    [`${Math.ceil(totalBytes / 3) + 100}`, 20],
    ['500M', 60],
  ] as const) {
    const read = await readBy(storage, subset);
    assert.equal(read.length, wanted, subset);
    assert.ok(read.every((key) => all.includes(key)));
  }
  const draws = await Array.fromAsync([1, 2, 3], async () => (await readBy(storage, '50%')).join());
  assert.ok(new Set(draws).size > 1, 'three draws of thirty among sixty are the same');
});

test(
  'each seventh finds the damage in its part alone, the one where restic finds it',
  { skip: withoutRestic('0.19.1') },
  async () => {
    await using dir = await tempDir();
    const at = await cheapRepository(dir.file('repository'));
    const [key = ''] = await fill(await openLocal(at.repository));
    const pack = join(at.repository, key);
    const bytes = readFileSync(pack);
    chmodSync(pack, 0o600);
    writeFileSync(pack, bytes.with(100, 1 ^ (bytes[100] ?? 0)));
    const codes: (readonly (number | null)[])[] = [];
    for (const subset of sevenths) {
      const args = ['check', '--read-data-subset', subset];
      const [ours, theirs] = await Promise.all([
        runHoldfast(at, [...args, '--no-lock']),
        runRestic('0.19.1', at, [...args, '--no-lock']),
      ]);
      codes.push([ours.code, theirs.code]);
    }
    assert.equal(codes.filter(([ours]) => ours === 1).length, 1);
    assert.ok(
      codes.every(([ours, theirs]) => ours === theirs),
      JSON.stringify(codes),
    );
  },
);
