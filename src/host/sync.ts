import { outputOf } from './output-of.ts';

/** All that was written to the file system of a path survives a power cut once this resolves. */
export async function syncFileSystem(path: string, signal: AbortSignal): Promise<void> {
  await outputOf('sync', ['-f', path], signal, 'unheard');
}
