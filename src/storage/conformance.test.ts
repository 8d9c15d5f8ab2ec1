import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silent } from '../events/events.ts';
import { runConformance } from './conformance.ts';
import { openLocal } from './local.ts';
import { MemoryStorage } from './memory.ts';
import type { Storage } from './storage.ts';

async function assertKept(storage: Storage): Promise<void> {
  const { results, left } = await runConformance(storage, silent);
  for (const result of results)
    assert.equal(
      result.outcome,
      'kept',
      `${result.name}: ${JSON.stringify(result)} ${'error' in result ? String(result.error) : ''}`,
    );
  assert.ok(results.length >= 15);
  assert.deepEqual(left, []);
}

test('a local storage keeps the contract and is left as it was found', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-conformance-'));
  try {
    const storage = await openLocal(folder);
    await storage.put('config', [new Uint8Array(3)]);
    await assertKept(storage);
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    assert.deepEqual(
      files.map(({ name }) => name),
      ['config'],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the storage in memory keeps the contract', async () => {
  await assertKept(new MemoryStorage());
});

test('a broken promise is reported, and the others are still checked', async () => {
  class Forgetful extends MemoryStorage {
    override async put(key: string, data: readonly Uint8Array[]): Promise<void> {
      await super.put(key, data);
    }
  }
  const { results, left } = await runConformance(new Forgetful(), silent);
  const broken = results.filter(({ outcome }) => outcome === 'broken').map(({ name }) => name);
  assert.ok(broken.includes('ifAbsent leaves an object that is there as it is'));
  assert.ok(broken.length < results.length / 2);
  assert.deepEqual(left, []);
});

test('a storage that holds restic keys only is not touched', async () => {
  class Narrow extends MemoryStorage {
    override readonly capabilities = { ownPrefixes: false, conditionalCreate: true, lock: false, versions: false };
  }
  const narrow = new Narrow();
  await assert.rejects(runConformance(narrow, silent), { code: 'unsupported' });
  assert.equal(narrow.durable.size, 0);
});
