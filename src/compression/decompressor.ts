import { constants, createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import { Scratch } from '../bytes/scratch.ts';
import { HoldfastError } from '../errors/error.ts';
import { frameShape, type FrameShape } from './frame.ts';
import { FrameContext } from './sync-stream.ts';

/** A long-lived context keeps the largest window that it has met. */
const keptWindowBytes = 8 * 2 ** 20;

/** Decompresses frame after frame of known length in one native context. */
export class Decompressor {
  #context = newContext();

  readonly #scratch = new Scratch();

  /** Exactly `length` bytes, or `damaged`; never takes more memory than that and the window. */
  decompress(frame: Uint8Array, length: number): Buffer {
    return this.#decompress(frame, length, (bytes) => Buffer.allocUnsafe(bytes));
  }

  /** As `decompress`, but a view of memory that the next call may overwrite. */
  decompressTransient(frame: Uint8Array, length: number): Uint8Array {
    return this.#decompress(frame, length, (bytes) => this.#scratch.room(bytes));
  }

  /** As `decompress`, piece by piece. */
  pieces(frame: Uint8Array, length: number, use: (piece: Uint8Array) => void): void {
    if (length <= pieceBytes || !isKeptWhole(checkShape(frame, length), frame)) use(this.decompress(frame, length));
    else if (!this.#eachPiece(frame, length, use)) throw damaged('not intact');
  }

  #decompress(frame: Uint8Array, length: number, allocate: (bytes: number) => Buffer): Buffer {
    const kept = isKeptWhole(checkShape(frame, length), frame);
    return (kept ? this.#inContext(frame, length, allocate) : undefined) ?? decompressOnce(frame, length);
  }

  /** False when the frame isn't intact; then some pieces were given out. */
  #eachPiece(frame: Uint8Array, length: number, use: (piece: Uint8Array) => void): boolean {
    const output = this.#scratch.room(pieceBytes);
    let inputLeft = frame.length;
    let done = 0;
    do {
      const input = frame.subarray(frame.length - inputLeft);
      const step = this.#context?.run(constants.ZSTD_e_end, input, output, pieceBytes);
      const got = pieceBytes - (step?.outputLeft ?? pieceBytes);
      const stands = step === undefined || (got === 0 && step.inputLeft === inputLeft);
      if (step === undefined || stands || done + got > length) break;
      this.#handOut(output.subarray(0, got), use);
      done += got;
      inputLeft = step.inputLeft;
    } while (done < length || inputLeft > 0);
    if (done === length && inputLeft === 0) return true;
    this.#context = newContext();
    return false;
  }

  /** A frame that is left in its middle would make the next one look damaged. */
  #handOut(piece: Uint8Array, use: (piece: Uint8Array) => void): void {
    try {
      use(piece);
    } catch (error) {
      this.#context = newContext();
      throw error;
    }
  }

  #inContext(frame: Uint8Array, length: number, allocate: (bytes: number) => Buffer): Buffer | undefined {
    // A spare byte shows a frame that goes on past its length.
    const output = allocate(length + 1);
    const step = this.#context?.run(constants.ZSTD_e_end, frame, output, length + 1);
    if (step?.inputLeft === 0 && step.outputLeft === 1) return output.subarray(0, length);
    this.#context = newContext();
    return undefined;
  }
}

/** What is handed out at a time: it stays in the processor's cache. */
const pieceBytes = 128 * 1024;

/** A frame may hold `length` bytes. */
function checkShape(frame: Uint8Array, length: number): FrameShape {
  const shape = frameShape(frame);
  if (!shape) throw damaged('not a zstd frame');
  if ((shape.contentLength ?? length) !== length)
    throw damaged(`frame of ${shape.contentLength} bytes where ${length} are due`);
  if (shape.frameLength === frame.length && shape.contentAtMost < length)
    throw damaged(`too few blocks for ${length} bytes`);
  return shape;
}

/** Only a whole frame leaves the context ready for the next one. */
function isKeptWhole(shape: FrameShape, frame: Uint8Array): boolean {
  return shape.frameLength === frame.length && shape.windowBytes <= keptWindowBytes;
}

function newContext(): FrameContext | undefined {
  return FrameContext.over(createZstdDecompress());
}

function decompressOnce(frame: Uint8Array, length: number): Buffer {
  const output = decompressAtMost(frame, length);
  if (output.length !== length) throw damaged(`${output.length} bytes where ${length} are due`);
  return output;
}

/** Every frame in `frames`, one after the other; `damaged` where they hold more than `maxBytes` or are not intact. */
export function decompressAtMost(frames: Uint8Array, maxBytes: number): Buffer {
  const expected = frameShape(frames)?.contentLength ?? 4 * frames.length;
  const chunkSize = Math.max(64, Math.min(expected, maxBytes, 2 ** 24));
  try {
    return zstdDecompressSync(frames, {
      maxOutputLength: Math.max(1, maxBytes),
      chunkSize,
      rejectGarbageAfterEnd: true,
    });
  } catch (cause) {
    throw damaged('not intact, or longer than allowed', cause);
  }
}

function damaged(what: string, cause?: unknown): HoldfastError {
  return new HoldfastError('damaged', `compressed bytes are damaged: ${what}`, { cause });
}
