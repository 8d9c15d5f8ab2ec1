import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { inventoryOf } from '../scripts/first-backup/inventory.ts';
import { FaultyStorage } from '../src/storage/fault.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import { keysOfKind } from './support/damage.ts';
import { backupFolder, contentsIn, contentsOf, jobContext, newRepository } from './support/engine.ts';
import { tempDir } from './support/temp-dir.ts';

for (const lost of ['gone', 'unreadable'] as const) {
  test(`a backup whose parent’s trees are ${lost} says so, reads all files again and stores the trees anew`, async () => {
    await using dir = await tempDir();
    const folder = dir.file('data');
    mkdirSync(`${folder}/sub`, { recursive: true });
    for (const path of ['sub/a', 'b']) writeFileSync(`${folder}/${path}`, `what ${path} holds`);
    const storage = new MemoryStorage();
    await newRepository(storage);
    const context = jobContext(storage);
    await backupFolder(context, folder);
    const keys = await keysOfKind(storage, context, 'tree pack');
    const faulty = new FaultyStorage(storage, {
      faultFor: ({ kind, key }) =>
        lost === 'unreadable' && kind === 'get' && keys.includes(key) ? 'error' : undefined,
    });
    if (lost === 'gone') for (const key of keys) await storage.remove(key);
    const { snapshot, unread } = await backupFolder(jobContext(faulty), folder);
    assert.ok(snapshot !== undefined && unread > 0);
    const found = await contentsOf(jobContext(faulty), snapshot, folder);
    assert.deepEqual(new Map(found), new Map(contentsIn(inventoryOf(folder))));
    const again = await backupFolder(jobContext(faulty), folder);
    assert.deepEqual([again.unread, again.counts.filesUnmodified], [0, 2], 'the next backup goes on from this one');
  });
}
