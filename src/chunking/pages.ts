import { HoldfastError } from '../errors/error.ts';
import type { Chunker } from './chunker.ts';

/**
 * Cuts at multiples of a fixed size. For files that are rewritten in place, page by page (those of a database):
 * a changed page touches its own chunk alone, and no fingerprint has to be rolled.
 */
export class PagesChunker implements Chunker {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly chunkBytes: number;

  constructor(chunkBytes: number, bufferBytes = Math.max(chunkBytes, 2 ** 20)) {
    if (!Number.isSafeInteger(chunkBytes) || chunkBytes < 512 || chunkBytes > bufferBytes) {
      throw new HoldfastError('unsupported', `chunks of ${chunkBytes} bytes are not possible`);
    }
    this.chunkBytes = chunkBytes;
    this.buffer = new Uint8Array(new ArrayBuffer(bufferBytes));
  }

  next(start: number, end: number, after: 'more' | 'final'): number {
    const available = end - start;
    if (available >= this.chunkBytes) return this.chunkBytes;
    return after === 'final' ? available : 0;
  }

  /** Nothing is kept between calls. */
  reset(): void {}
}

const smallest = 2 ** 16;
const largest = 2 ** 20;
const chunksAtMost = 2 ** 18;

/**
 * The chunk size for a file of pages. Small chunks store fewer unchanged pages beside a changed one: with 2 % of
 * pages of 8 KiB changed at random 15 % of 64 KiB chunks are touched, and 73 % of 512 KiB ones. Each chunk takes some
 * 60 bytes of index, so large files get larger ones. Fix it at a file's first backup: another size deduplicates nothing.
 */
export function pagesChunkSize(fileBytes: number): number {
  let size = smallest;
  while (size < largest && fileBytes / size > chunksAtMost) size *= 2;
  return size;
}
