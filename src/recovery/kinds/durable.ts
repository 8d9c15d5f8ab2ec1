import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a file whole or not at all: it is there, and stays there, when this resolves. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.tmp`;
  await using file = await open(draft, 'w', 0o600);
  await file.writeFile(text);
  await file.sync();
  await rename(draft, path);
  await syncFolder(dirname(path));
}

export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}
