import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib';
import { passing } from '../bytes/scratch.ts';
import { FrameContext } from './sync-stream.ts';

/** restic's window: its decoders need no more memory than this for any frame of ours. */
const windowLog = 19;

/** Compresses frame after frame at one level in one native context, without checksum, with the content's size. */
export class Compressor {
  readonly #params: Record<number, number>;
  #context: FrameContext | undefined;

  constructor(level: number) {
    this.#params = {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_windowLog]: windowLog,
      [constants.ZSTD_c_contentSizeFlag]: 1,
      [constants.ZSTD_c_checksumFlag]: 0,
    };
    this.#context = FrameContext.over(createZstdCompress({ params: this.#params }));
  }

  /** A view of memory that the next call overwrites. */
  compress(bytes: Uint8Array): Uint8Array {
    return this.compressInto(bytes, passing.room(compressBound(bytes.length)));
  }

  /** A view of `output`, which has at least `compressBound` bytes; of memory of its own where this Node can't do that. */
  compressInto(bytes: Uint8Array, output: Uint8Array): Uint8Array {
    const bound = compressBound(bytes.length);
    const step = this.#context?.run(constants.ZSTD_e_end, bytes, output, bound);
    if (step && step.inputLeft === 0 && step.outputLeft > 0) return output.subarray(0, bound - step.outputLeft);
    this.#context = undefined;
    return zstdCompressSync(bytes, { params: this.#params, pledgedSrcSize: bytes.length, chunkSize: bound });
  }
}

/**
 * Room for any outcome, so that zstd compresses in one pass from input to output, knows the whole length beforehand
 * and sizes its tables by it. One byte more than the worst case: an output that isn't full has ended.
 */
export function compressBound(length: number): number {
  return length + Math.ceil(length / 256) + 1024;
}
