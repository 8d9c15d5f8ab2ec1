import { open } from 'node:fs/promises';

/** Many files are small: one buffer serves them all. A whole number of pages of any size. */
export function readingBuffer(): Buffer {
  return Buffer.alloc(1024 * 1024);
}

/** A file from its beginning, each piece as long as the buffer but the last; it is gone when the next is asked for. */
export async function* readPieces(path: string | Buffer, buffer: Buffer): AsyncGenerator<Buffer> {
  await using file = await open(path);
  for (let at = 0; ;) {
    let filled = 0;
    for (let read = -1; read !== 0 && filled < buffer.length; filled += read)
      ({ bytesRead: read } = await file.read(buffer, filled, buffer.length - filled, at + filled));
    if (filled > 0) yield buffer.subarray(0, filled);
    if (filled < buffer.length) return;
    at += filled;
  }
}
