import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TempDir extends AsyncDisposable {
  readonly path: string;
  /** A path inside. */
  file(...segments: readonly string[]): string;
}

/** A fresh folder, removed with all it holds when disposed: `await using dir = await tempDir()`. */
export async function tempDir(): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  return {
    path,
    file: (...segments) => join(path, ...segments),
    [Symbol.asyncDispose]: async () => await removeFolder(path),
  };
}

/** With all it holds, of which a process that just ends may still write some. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 8, retryDelay: 100 });
}
