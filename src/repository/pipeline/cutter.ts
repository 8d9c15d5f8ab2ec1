import type { RabinChunker } from '../../chunking/chunker.ts';
import type { BytesReader } from './bytes-reader.ts';

/** Read and scanned at once: little is scanned in vain beyond a cut, and it stays in the processor's cache. */
const stepBytes = 128 * 1024;

/** In a worker: the chunks of one content, one after the other, in the chunker's memory. */
export class Cutter {
  readonly #chunker: RabinChunker;
  readonly #bytes: BytesReader;
  /** Where in the content the memory's first byte stands. */
  #start: number;
  /** Bytes in memory. */
  #held = 0;
  #chunk = 0;
  #ended = false;

  constructor(chunker: RabinChunker, bytes: BytesReader, start: number) {
    this.#chunker = chunker;
    this.#bytes = bytes;
    this.#start = start;
    chunker.reset();
  }

  /** Where the next chunk starts. */
  get position(): number {
    return this.#start + this.#chunk;
  }

  /** The next chunk, valid until the next call; undefined at the end of the content. */
  next(): Uint8Array | undefined {
    this.#dropChunk();
    this.#chunk = this.#find();
    return this.#chunk === 0 ? undefined : this.#chunker.buffer.subarray(0, this.#chunk);
  }

  #find(): number {
    for (let seen = this.#chunker.limits.minBytes + stepBytes; ; seen += stepBytes) {
      const end = this.#hold(Math.min(seen, this.#chunker.limits.maxBytes));
      const length = this.#chunker.next(0, end, end < this.#held || !this.#ended ? 'more' : 'final');
      if (length > 0 || (this.#ended && end === this.#held)) return length;
    }
  }

  /** Reads until so many bytes are there, or all that there are. */
  #hold(wanted: number): number {
    if (this.#held < wanted && !this.#ended) {
      const missing = wanted - this.#held;
      const got = this.#bytes.read(this.#chunker.buffer.subarray(this.#held), missing, this.#start + this.#held);
      this.#held += got;
      this.#ended = got < missing;
    }
    return Math.min(wanted, this.#held);
  }

  #dropChunk(): void {
    this.#chunker.buffer.copyWithin(0, this.#chunk, this.#held);
    this.#start += this.#chunk;
    this.#held -= this.#chunk;
    this.#chunk = 0;
  }
}
