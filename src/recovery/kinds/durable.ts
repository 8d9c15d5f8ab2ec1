import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFile, syncFolder } from '../../host/lasting.ts';

/** Writes a file whole or not at all: it is there, and stays there, when this resolves. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.tmp`;
  await using file = await open(draft, 'w', 0o600);
  await file.writeFile(text);
  await syncFile(file);
  await rename(draft, path);
  await syncFolder(dirname(path));
}
