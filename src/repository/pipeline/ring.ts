import { HoldfastError } from '../../errors/error.ts';
import type { Bytes } from './protocol.ts';
import type { SharedBytes } from './ranges.ts';

/** Two largest chunks and what is cut meanwhile. */
const chunksHeld = 3;
const smallestRing = 24 * 2 ** 20;

/** Streams that come one after the other share a ring, those that come beside each other don't. */
export class StreamRings {
  readonly #largestChunk: number;
  readonly #rings: StreamRing[] = [];

  constructor(largestChunk: number) {
    this.#largestChunk = largestChunk;
  }

  /** To be disposed of once no worker reads it. */
  begin(look: 'crc32c' | undefined): RingPart {
    return (this.#rings.find(({ isFilling }) => !isFilling) ?? this.#another()).begin(look);
  }

  #another(): StreamRing {
    const ring = new StreamRing(this.#largestChunk);
    this.#rings.push(ring);
    return ring;
  }
}

/**
 * Streams' bytes on their way to the workers, in shared memory that is used again and again: one stream after the
 * other, each while those before are still being stored. All that is held of them is in here.
 */
class StreamRing {
  readonly memory: SharedArrayBuffer;
  readonly #bytes: Uint8Array;
  #filled = 0;
  /** In the order in which they stand in the ring. */
  readonly #parts: RingPart[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(largestChunk: number) {
    this.memory = new SharedArrayBuffer(Math.max(smallestRing, chunksHeld * largestChunk));
    this.#bytes = new Uint8Array(this.memory);
  }

  /** Bytes that were ever written into it. */
  get filled(): number {
    return this.#filled;
  }

  get isFilling(): boolean {
    return this.#parts.at(-1)?.state === 'filling';
  }

  /** Resolves when something was written, released or failed. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** For the next stream, once none is being filled. */
  begin(look: 'crc32c' | undefined): RingPart {
    const part = new RingPart(this, look, () => void this.#parts.splice(this.#parts.indexOf(part), 1));
    this.#parts.push(part);
    return part;
  }

  async write(piece: Uint8Array, into: RingPart): Promise<void> {
    for (let done = 0; done < piece.length && !into.hasFailed;) {
      const at = this.#filled % this.#bytes.length;
      const part = piece.subarray(done, done + Math.min(this.#room(), this.#bytes.length - at));
      this.#bytes.set(part, at);
      this.#filled += part.length;
      done += part.length;
      if (part.length > 0) this.wake();
      else await this.changed;
    }
  }

  wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #room(): number {
    const needed = this.#parts[0]?.released ?? this.#filled;
    return this.#bytes.length - (this.#filled - needed);
  }
}

/** One stream in a ring. */
class RingPart implements SharedBytes, Disposable {
  readonly name = 'the stream';
  readonly start: number;
  readonly look: 'crc32c' | undefined;
  readonly #ring: StreamRing;
  readonly #onDisposed: () => void;
  #state: 'filling' | 'final' = 'filling';
  #released: number;
  #end: number | undefined;
  #failure: Error | undefined;

  constructor(ring: StreamRing, look: 'crc32c' | undefined, onDisposed: () => void) {
    this.#ring = ring;
    this.look = look;
    this.#onDisposed = onDisposed;
    this.start = ring.filled;
    this.#released = ring.filled;
  }

  get state(): 'filling' | 'final' {
    return this.#state;
  }

  get released(): number {
    return this.#released;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  get bytes(): Bytes {
    return { kind: 'ring', memory: this.#ring.memory, end: this.end };
  }

  get end(): number {
    return this.#end ?? this.#ring.filled;
  }

  /** Its room is another's now; no worker reads it any more. */
  [Symbol.dispose](): void {
    this.fail(new HoldfastError('interrupted', 'nobody wants the stream any more'));
    this.#finish();
    this.#onDisposed();
    this.#ring.wake();
  }

  /** Takes in the whole stream; never rejects: what fails is told by `cuttable`. */
  async fill(stream: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const piece of stream) {
        if (this.#failure !== undefined) return;
        await this.#ring.write(piece, this);
      }
    } catch (cause) {
      this.fail(asFailure(cause));
    } finally {
      this.#finish();
      this.#ring.wake();
    }
  }

  /** Ends both sides. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#ring.wake();
  }

  async cuttable(start: number, largestChunk: number): Promise<number> {
    while (this.#state === 'filling' && this.#failure === undefined && this.#ring.filled - start < largestChunk)
      await this.#ring.changed;
    if (this.#failure !== undefined) throw this.#failure;
    return this.#state === 'final' ? Infinity : this.#ring.filled - largestChunk + 1;
  }

  release(before: number): void {
    this.#released = before;
    this.#ring.wake();
  }

  #finish(): void {
    this.#state = 'final';
    this.#end ??= this.#ring.filled;
  }
}

function asFailure(cause: unknown): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new HoldfastError('source-failed', `the stream failed: ${reason}`, { cause });
}
