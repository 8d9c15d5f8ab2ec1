import { HoldfastError } from '../../errors/error.ts';
import type { Bytes } from './protocol.ts';
import type { SharedBytes } from './ranges.ts';

/** Two largest chunks and what is cut meanwhile. */
const chunksHeld = 3;
const smallestRing = 24 * 2 ** 20;

/** A stream's bytes on their way to the workers, in shared memory that is used again and again. */
export class StreamRing implements SharedBytes {
  readonly name = 'the stream';
  readonly #memory: SharedArrayBuffer;
  readonly #bytes: Uint8Array;
  #filled = 0;
  #released = 0;
  #state: 'filling' | 'final' = 'filling';
  #failure: Error | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(largestChunk: number) {
    this.#memory = new SharedArrayBuffer(Math.max(smallestRing, chunksHeld * largestChunk));
    this.#bytes = new Uint8Array(this.#memory);
  }

  get bytes(): Bytes {
    return { kind: 'ring', memory: this.#memory, end: this.#filled };
  }

  get end(): number {
    return this.#filled;
  }

  /** Takes in the whole stream; never rejects: what fails is told by `cuttable`. */
  async fill(stream: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const piece of stream) {
        if (this.#failure !== undefined) return;
        await this.#write(piece);
      }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.fail(
        cause instanceof HoldfastError
          ? cause
          : new HoldfastError('source-failed', `the stream failed: ${reason}`, { cause }),
      );
    }
    this.#state = 'final';
    this.#wake();
  }

  /** Ends both sides. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  async cuttable(start: number, largestChunk: number): Promise<number> {
    while (this.#state === 'filling' && this.#failure === undefined && this.#filled - start < largestChunk) {
      await this.#changed.promise;
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.#state === 'final' ? Infinity : this.#filled - largestChunk + 1;
  }

  release(before: number): void {
    this.#released = before;
    this.#wake();
  }

  async #write(piece: Uint8Array): Promise<void> {
    for (let done = 0; done < piece.length && this.#failure === undefined;) {
      const ringBytes = this.#bytes.length;
      const at = this.#filled % ringBytes;
      const room = Math.min(ringBytes - (this.#filled - this.#released), ringBytes - at);
      const part = piece.subarray(done, done + room);
      this.#bytes.set(part, at);
      this.#filled += part.length;
      done += part.length;
      if (part.length > 0) this.#wake();
      else await this.#changed.promise;
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
