import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { archiveFolder, newRepository } from '../../test/support/engine.ts';
import { tempDir, type TempDir } from '../../test/support/temp-dir.ts';
import { rawPathOf, type BlobId } from '../bytes/ids.ts';
import { silent } from '../events/events.ts';
import { keyOf } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { GetOptions } from '../storage/storage.ts';
import { restoreTree, selectAll, type RestoreOutcome } from './restore.ts';

/** Counts what is asked of it. */
class CountingStorage extends MemoryStorage {
  readonly asked: string[] = [];

  override async get(key: string, options?: GetOptions): Promise<Uint8Array> {
    this.asked.push(key);
    return super.get(key, options);
  }
}

async function restore(repository: Repository, tree: BlobId, folder: string): Promise<RestoreOutcome> {
  const { signal } = new AbortController();
  const fixed = { overwrite: 'always', extras: 'keep', mode: 'write', holes: 'dense', verify: 'no' } as const;
  const options = { ...fixed, select: selectAll, selectXattr: 'all' } as const;
  return await restoreTree({ repository, tree, target: rawPathOf(folder), options, listener: silent, signal });
}

/** Small files beside such as are cut, all of which share packs. */
function makeFiles(dir: TempDir): readonly string[] {
  mkdirSync(dir.file('data'));
  for (let number = 0; number < 600; number += 1) {
    const large = number % 60 === 0;
    writeFileSync(dir.file('data', `${number}`), randomBytes(large ? 9_000_000 : 3000 + number));
  }
  return readdirSync(dir.file('data'));
}

test('where a pack costs a request, a restore asks for each about once, whatever files it holds', async () => {
  await using dir = await tempDir();
  const names = makeFiles(dir);
  const storage = new CountingStorage();
  await using repository = await newRepository(storage);
  const tree = await archiveFolder(repository, dir.file('data'));
  const packs = new Set([...repository.index.all()].filter(({ type }) => type === 'data').map(({ pack }) => pack));
  storage.asked.length = 0;
  assert.equal((await restore(repository, tree, dir.file('out'))).failures, 0);
  const asked = storage.asked.filter((key) => [...packs].some((pack) => key === keyOf('data', pack)));
  assert.ok(packs.size > 2);
  assert.ok(asked.length <= packs.size + 1, `${asked.length} requests for ${packs.size} packs`);
  for (const name of names) assert.ok(readFileSync(dir.file('data', name)).equals(readFileSync(dir.file('out', name))));
});

test('of a pack that was cut short all that is before the cut is restored', async () => {
  await using dir = await tempDir();
  mkdirSync(dir.file('data'));
  for (let number = 0; number < 100; number += 1) writeFileSync(dir.file('data', `${number}`), randomBytes(1000));
  const storage = new MemoryStorage();
  await using repository = await newRepository(storage);
  const tree = await archiveFolder(repository, dir.file('data'));
  const blobs = [...repository.index.all()].filter(({ type }) => type === 'data');
  const [{ pack } = { pack: undefined }] = blobs;
  assert.ok(pack !== undefined);
  const key = keyOf('data', pack);
  const bytes = await storage.get(key);
  await storage.remove(key);
  await storage.put(key, [bytes.subarray(0, 40_000)]);
  const lost = blobs.filter((blob) => blob.pack === pack && blob.offset + blob.length > 40_000).length;
  const outcome = await restore(repository, tree, dir.file('out'));
  assert.ok(lost > 0 && lost < 100);
  assert.equal(outcome.failures, lost);
  assert.equal(readdirSync(dir.file('out')).length, 100 - lost);
});
