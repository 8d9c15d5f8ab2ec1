import { HoldfastError } from '../errors/error.ts';
import type { GetOptions } from './storage.ts';

/** No file of a repository is larger; a server that sends more is not believed. */
export const mostObjectBytes = 512 * 1024 * 1024;

/** Fails when a whole object is asked for and has more bytes than whoever asks would take. */
export function assertWithin(sizeBytes: number, { range, maxBytes = Infinity }: GetOptions, key: string): void {
  if (range !== undefined || sizeBytes <= maxBytes) return;
  throw new HoldfastError('damaged', `cannot read ${key}: ${sizeBytes} bytes are more than any such object has`);
}
