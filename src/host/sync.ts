import { libcFunction } from './libc.ts';
import { outputOf } from './output-of.ts';

/** All that was written to the file system of a path survives a power cut once this resolves. */
export async function syncFileSystem(path: string, signal: AbortSignal): Promise<void> {
  await outputOf('sync', ['-f', path], signal, 'unheard');
}

const syncFileRange = libcFunction('sync_file_range', { return: 'i32', arguments: ['i32', 'i64', 'i64', 'u32'] });
/** SYNC_FILE_RANGE_WRITE */
const beginsAlone = 2;

/**
 * Sends what was written to an open file on its way to the disk, and waits for nothing, so that a sync which comes later
 * finds less to do. It is that sync which promises something, and tells what went wrong: an error that nobody was told of
 * yet is told to it. Where the system can't do this, the sync does all.
 */
export function beginWriteBack(fd: number): void {
  syncFileRange?.(fd, 0n, 0n, beginsAlone);
}
