import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MemoryStorage } from '../../src/storage/memory.ts';

/** Writes what a storage in memory holds into a folder, for another program to read. */
export function storedIn(folder: string, storage: MemoryStorage): void {
  for (const [key, bytes] of storage.durable) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), bytes);
  }
}
