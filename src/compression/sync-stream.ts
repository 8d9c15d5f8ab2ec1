import type { Transform } from 'node:stream';

/**
 * The synchronous side of Node's zstd streams, which its own one-shot functions drive: one native context, whose
 * `writeSync` fills `_writeState` with [bytes left in the output, bytes left in the input]. Setting a context up
 * costs 15 to 30 µs, more than a small blob takes, and only these undocumented fields keep one from call to call.
 * Where they are not as expected, callers use the one-shot functions: slower, the same bytes.
 */
interface SyncStream {
  readonly _handle: {
    writeSync(
      flush: number,
      input: Uint8Array,
      inputOffset: number,
      inputLength: number,
      output: Uint8Array,
      outputOffset: number,
      outputLength: number,
    ): void;
  };
  readonly _writeState: Uint32Array;
}

function isSyncStream(stream: object): stream is SyncStream {
  if (!('_handle' in stream) || !('_writeState' in stream) || !(stream._writeState instanceof Uint32Array))
    return false;
  const handle = stream._handle;
  return (
    typeof handle === 'object' && handle !== null && 'writeSync' in handle && typeof handle.writeSync === 'function'
  );
}

export interface Step {
  readonly inputLeft: number;
  readonly outputLeft: number;
}

/** One context that (de)compresses frame after frame. */
export class FrameContext {
  readonly #stream: Transform;
  readonly #sync: SyncStream;

  private constructor(stream: Transform, sync: SyncStream) {
    this.#stream = stream;
    this.#sync = sync;
    // Without a listener a failed frame would end the process; `run` tells it to its caller.
    stream.on('error', () => this.#stream.destroy());
  }

  /** Undefined where this Node keeps its streams otherwise. */
  static over(stream: Transform): FrameContext | undefined {
    return isSyncStream(stream) ? new FrameContext(stream, stream) : undefined;
  }

  /** Undefined when the context failed: it must not be used again. */
  run(flush: number, input: Uint8Array, output: Uint8Array, outputLength: number): Step | undefined {
    if (this.#stream.destroyed) return undefined;
    this.#sync._handle.writeSync(flush, input, 0, input.length, output, 0, outputLength);
    if (this.#stream.destroyed) return undefined;
    const [outputLeft = 0, inputLeft = 0] = this.#sync._writeState;
    return { inputLeft, outputLeft };
  }
}
