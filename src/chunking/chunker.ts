import { HoldfastError } from '../errors/error.ts';
import type { Polynomial } from './polynomial.ts';
import { parseRabin, type Rabin } from './rabin.ts';
import { instantiate, reserve } from '../bytes/wasm.ts';

/**
 * Finds where content is cut into chunks, in place: read content into `buffer`, let `next` find the chunks one by one,
 * use them as sub-arrays, and move what remains to the front when the buffer is full. One chunker serves one content
 * after the other in a thread.
 *
 * @example
 * for (let start = 0; start < end; ) {
 *   const length = chunker.next(start, end, atEnd ? 'final' : 'more');
 *   if (length === 0) { ... move start..end to the front, read more behind it ...; continue; }
 *   store(chunker.buffer.subarray(start, start + length));
 *   start += length;
 * }
 */
export interface Chunker {
  /** Memory for content, never reallocated. It holds a largest chunk, so `next` finds one in a full buffer. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  /**
   * The length of the chunk that begins at `start`, where content is in the buffer up to `end`; 0 when its end is not
   * in sight: then call again with the same chunk and more behind it, wherever it stands by then. With 'final' there
   * is no more, and the rest is the last chunk (0 when nothing is left).
   */
  next(start: number, end: number, after: 'more' | 'final'): number;
  /** Forgets a content that was given up in the middle. */
  reset(): void;
}

/**
 * Cuts content where its bytes say so: the same content is cut alike wherever it stands and whatever precedes it.
 * A chunk ends where the Rabin fingerprint of its last 64 bytes, modulo the repository's polynomial, has its low
 * `averageBits` bits zero, not before `minBytes` and at `maxBytes` at the latest; the last chunk is what remains.
 * These are exactly restic's cuts.
 */
export class RabinChunker implements Chunker {
  /** Two largest chunks unless told otherwise. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly limits: ChunkLimits;
  readonly #rabin: Rabin;
  readonly #bufferAt: number;
  /** How much of the chunk that is being looked for is known to hold no cut. */
  #scanned = 0;

  constructor(polynomial: Polynomial, options: ChunkerOptions = {}) {
    this.limits = checkLimits(options.limits ?? resticLimits);
    this.#rabin = parseRabin(instantiate('rabin'));
    this.#rabin.prepare(polynomial, (1n << BigInt(this.limits.averageBits)) - 1n);
    this.#bufferAt = this.#rabin.dataStart();
    const bufferBytes = Math.max(options.bufferBytes ?? 2 * this.limits.maxBytes, this.limits.maxBytes);
    this.buffer = reserve(this.#rabin.memory, this.#bufferAt, bufferBytes);
  }

  /** What was looked through already is not looked through again. */
  next(start: number, end: number, after: 'more' | 'final'): number {
    const length = this.#find(start, end);
    if (length === 0 && after === 'more') return 0;
    this.#scanned = 0;
    return length === 0 ? end - start : length;
  }

  reset(): void {
    this.#scanned = 0;
  }

  #find(start: number, end: number): number {
    const { minBytes, maxBytes } = this.limits;
    const from = Math.max(minBytes - 1, this.#scanned);
    const to = Math.min(end - start, maxBytes);
    if (to <= from) return 0;
    const at = this.#bufferAt + start;
    const cut = this.#rabin.scan(at + from, at + to);
    if (cut > 0) return cut - at;
    this.#scanned = to;
    return to === maxBytes ? maxBytes : 0;
  }
}

export interface ChunkLimits {
  readonly minBytes: number;
  readonly maxBytes: number;
  /** A chunk grows by 2^averageBits bytes beyond the minimum on average. */
  readonly averageBits: number;
}

export interface ChunkerOptions {
  readonly limits?: ChunkLimits;
  /** Size of `buffer`, at least a largest chunk. */
  readonly bufferBytes?: number;
}

/** restic's, which no repository of its own can change; rustic's config may name others. */
export const resticLimits: ChunkLimits = { minBytes: 512 * 1024, maxBytes: 8 * 1024 * 1024, averageBits: 20 };

const windowBytes = 64;
const largestChunk = 2 ** 30;

function checkLimits(limits: ChunkLimits): ChunkLimits {
  const { minBytes, maxBytes, averageBits } = limits;
  const whole = Object.values(limits).every(Number.isSafeInteger);
  if (
    whole &&
    minBytes >= windowBytes &&
    maxBytes >= minBytes &&
    maxBytes <= largestChunk &&
    averageBits >= 1 &&
    averageBits <= 29
  ) {
    return limits;
  }
  throw new HoldfastError(
    'unsupported',
    `chunks of ${minBytes} to ${maxBytes} bytes, cut at 2^${averageBits}, are not possible`,
  );
}
