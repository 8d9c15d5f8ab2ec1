import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLocal } from './local.ts';
import { MemoryStorage } from './memory.ts';
import type { PutOptions } from './storage.ts';
import { proveConforms, conformanceOf, needsStaging } from '../../test/support/conformance.ts';

test('a local storage keeps the contract and is left as it was found', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-conformance-'));
  try {
    const storage = await openLocal(folder);
    await storage.put('config', [new Uint8Array(3)]);
    await proveConforms(context, 'folder', storage);
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    assert.deepEqual(
      files.map(({ name }) => name),
      ['config'],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the storage in memory keeps the contract', async (context) => {
  await proveConforms(context, 'memory', new MemoryStorage(), [needsStaging]);
});

test('a broken promise is reported, and the others are still checked', async () => {
  class Forgetful extends MemoryStorage {
    override async put(key: string, data: readonly Uint8Array[]): Promise<void> {
      await super.put(key, data);
    }
  }
  const { results, left } = await conformanceOf(new Forgetful());
  const broken = results.filter(({ outcome }) => outcome === 'broken').map(({ name }) => name);
  assert.ok(broken.includes('ifAbsent leaves an object that is there as it is'));
  assert.ok(broken.length < results.length / 2);
  assert.deepEqual(left, []);
});

class Narrow extends MemoryStorage {
  override readonly capabilities = { ownPrefixes: false, conditionalCreate: false, lock: false, versions: false };
  readonly keys = new Set<string>();

  override async put(key: string, data: readonly Uint8Array[], options?: PutOptions): Promise<void> {
    await super.put(key, data, options);
    this.keys.add(key);
  }
}

test('a storage that holds restic keys only is tried with packs that bear the hash of what they hold', async () => {
  const narrow = new Narrow();
  const { results, left } = await conformanceOf(narrow);
  const not = results.filter(({ outcome }) => outcome !== 'kept');
  assert.deepEqual(
    not.map(({ outcome }) => outcome),
    ['not run', 'not run', 'not run', 'not run'],
  );
  assert.deepEqual([left, narrow.durable.size], [[], 0]);
  for (const key of narrow.keys) assert.match(key, /^data\/([0-9a-f]{2})\/\1[0-9a-f]{62}$/);
});

test('a storage that holds restic keys only is not touched where a repository is', async () => {
  const narrow = new Narrow(new Map([['config', new Uint8Array(3)]]));
  await assert.rejects(conformanceOf(narrow), { code: 'unsupported' });
  assert.equal(narrow.keys.size, 0);
});
