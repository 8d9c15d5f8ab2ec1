import type { WriterOptions } from '../repository/repository.ts';
import type { Globals } from './globals.ts';

const defaultPackBytes = 16 * 2 ** 20;

/** How new packs are written, as the global options say. */
export function writerOptions(globals: Globals, readConcurrency = 2): Omit<WriterOptions, 'signal' | 'mode'> {
  return {
    compression: globals.compression ?? 'auto',
    packSizeBytes: globals.packSize ?? defaultPackBytes,
    extraVerify: globals.noExtraVerify ? 'unverified' : 'verified',
    readConcurrency,
  };
}
