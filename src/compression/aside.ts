import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { HoldfastError } from '../errors/error.ts';

/**
 * Compresses large bytes outside of this thread, on the thread pool, several at a time where there are several to do: one
 * zstd frame with the content's size.
 */
export async function compressAside(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_contentSizeFlag]: 1 };
  return await new Promise((resolve, reject) => {
    zstdCompress(bytes, { params, pledgedSrcSize: bytes.length }, (error, frame) => {
      if (error === null) resolve(frame);
      else reject(error);
    });
  });
}

/** 'damaged' for what is no frame, or holds more than `maxBytes`, which it never takes the memory for. */
export async function decompressAside(frame: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return await new Promise((resolve, reject) => {
    zstdDecompress(frame, { maxOutputLength: maxBytes }, (cause, bytes) => {
      if (cause === null) resolve(bytes);
      else reject(new HoldfastError('damaged', 'what was compressed is not intact, or too large', { cause }));
    });
  });
}
