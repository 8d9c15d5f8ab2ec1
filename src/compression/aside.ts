import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { HoldfastError } from '../errors/error.ts';
import { compressBound } from './compressor.ts';
import { frameShape } from './frame.ts';

/**
 * Compresses large bytes outside of this thread, on the thread pool, several at a time where there are several to do: one
 * zstd frame with the content's size. Room for all of it at once spares this thread a call for every few KiB.
 */
export async function compressAside(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_contentSizeFlag]: 1 };
  const options = { params, pledgedSrcSize: bytes.length, chunkSize: compressBound(bytes.length) };
  return await new Promise((resolve, reject) => {
    zstdCompress(bytes, options, (error, frame) => {
      if (error === null) resolve(frame);
      else reject(error);
    });
  });
}

/** 'damaged' for what is no frame, or holds more than `maxBytes`, which it never takes the memory for. */
export async function decompressAside(frame: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const chunkSize = Math.max(64, Math.min(maxBytes, (frameShape(frame)?.contentLength ?? 0) + 1, mostAtOnceBytes));
  return await new Promise((resolve, reject) => {
    zstdDecompress(frame, { maxOutputLength: maxBytes, chunkSize }, (cause, bytes) => {
      if (cause === null) resolve(bytes);
      else reject(new HoldfastError('damaged', 'what was compressed is not intact, or too large', { cause }));
    });
  });
}

/** What a frame says of its length is believed so far: a segment of a log, and its first line. */
const mostAtOnceBytes = 2 ** 24 + 2 ** 16;
