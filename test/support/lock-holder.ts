import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { lockFile } from '../../src/host/file-lock.ts';

/**
 * The PID in a lock's file, of whoever holds it. undefined where nobody does: the file stays behind, and its number may be
 * another's by then.
 */
export async function lockHolder(path: string): Promise<number | undefined> {
  if (!existsSync(path)) return undefined;
  const held = lockFile(path);
  if (held === 'held') return Number(await readFile(path, 'utf8')) || undefined;
  if (held !== 'unknown') held[Symbol.dispose]();
  return undefined;
}
