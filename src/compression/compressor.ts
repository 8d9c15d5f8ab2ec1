import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib';
import { FrameContext } from './sync-stream.ts';

/** restic's window: its decoders need no more memory than this for any frame of ours. */
const windowLog = 19;

/** Compresses frame after frame at one level in one native context, without checksum, with the content's size. */
export class Compressor {
  readonly #params: Record<number, number>;
  #context: FrameContext | undefined;
  #scratch = new Uint8Array(0);

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
    const bound = compressBound(bytes.length);
    const output = this.#room(bound);
    const step = this.#context?.run(constants.ZSTD_e_end, bytes, output, bound);
    if (step && step.inputLeft === 0 && step.outputLeft > 0) return output.subarray(0, bound - step.outputLeft);
    this.#context = undefined;
    return zstdCompressSync(bytes, { params: this.#params, pledgedSrcSize: bytes.length, chunkSize: bound });
  }

  #room(length: number): Uint8Array {
    if (length > keptScratch) return Buffer.allocUnsafeSlow(length);
    if (this.#scratch.length < length) this.#scratch = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(length)));
    return this.#scratch;
  }
}

/** What a thread keeps between calls: enough for a chunk of 8 MiB. Larger outputs get their own memory. */
const keptScratch = 2 ** 24;

/**
 * Room for any outcome, so that zstd compresses in one pass from input to output, knows the whole length beforehand
 * and sizes its tables by it. One byte more than the worst case: an output that isn't full has ended.
 */
function compressBound(length: number): number {
  return length + Math.ceil(length / 256) + 1024;
}
