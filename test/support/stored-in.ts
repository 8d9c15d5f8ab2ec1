import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { resticOk, withoutRestic } from '../servers/restic.ts';
import { cheapKey } from './engine.ts';
import { tempDir } from './temp-dir.ts';

/** Writes what a storage in memory holds into a folder, for another program to read. */
export function storedIn(folder: string, storage: MemoryStorage): void {
  for (const [key, bytes] of storage.durable) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), bytes);
  }
}

/** What restic says of all that is stored, its data read; locks that a crash left apart. */
export async function checkByRestic(context: TestContext, storage: MemoryStorage, where: string): Promise<void> {
  const reason = withoutRestic('0.19.1');
  if (reason !== false) return context.diagnostic(`not checked by restic: ${reason}`);
  await using dir = await tempDir();
  await removeLocks(storage);
  storedIn(dir.file('repository'), storage);
  const at = { repository: dir.file('repository'), password: cheapKey.password };
  assert.match(await resticOk('0.19.1', at, ['check', '--read-data']), /no errors were found/, where);
}

/** Those of a program that is known to be gone. */
export async function removeLocks(storage: Storage): Promise<void> {
  for await (const { key } of storage.list('locks/')) await storage.remove(key);
}
