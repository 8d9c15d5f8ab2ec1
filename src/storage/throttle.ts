import type { Clock } from '../clock/clock.ts';
import { moved } from '../flow/stall.ts';

/** So many bytes may go at once after a rest. */
const burstMs = 1000;

/** Keeps all that passes, together, below a rate. Whoever is about to move bytes takes them first. */
export class Throttle {
  readonly #bytesPerMs: number;
  readonly #clock: Clock;
  /** When everything taken so far will have been paid for. */
  #paidAtMs = -Infinity;

  constructor(options: { readonly bytesPerSecond: number; readonly clock: Clock }) {
    this.#bytesPerMs = options.bytesPerSecond / 1000;
    this.#clock = options.clock;
  }

  /** Resolves when these bytes may go; who comes first goes first. */
  async take(sizeBytes: number, signal?: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs - burstMs) + sizeBytes / this.#bytesPerMs;
    if (this.#paidAtMs > nowMs) await this.#clock.sleep(this.#paidAtMs - nowMs, signal);
  }
}

/** What keeps a storage below the user's limits; undefined where there is none. */
export interface Throttles {
  readonly upload?: Throttle | undefined;
  readonly download?: Throttle | undefined;
}

/** Bytes that move together: small enough for an even flow at a few KiB a second, large enough to cost nothing. */
const sliceBytes = 16 * 1024;

/** Buffers on the way take so much although nobody reads. */
const bufferedBytes = 512 * 1024;
/** Sent at once: small enough to move in time on any line. */
const sentBytes = 256 * 1024;
/** Of what is sent so much may go before it is seen to move. */
export const unseenBytes = bufferedBytes + sentBytes;

/** What is sent, as it may go; the task of the signal has moved once bytes go that no buffer took. */
export async function* outgoing(
  data: Iterable<Uint8Array>,
  throttle: Throttle | undefined,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  let at = 0;
  for await (const slice of throttled(inSlices(data, sentBytes), throttle, signal)) {
    if (at > bufferedBytes) moved(signal);
    at += slice.length;
    yield slice;
  }
}

/** What is received, as it may come; each piece moves the task of the signal. */
export async function* incoming(
  data: AsyncIterable<Uint8Array>,
  throttle: Throttle | undefined,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  for await (const piece of throttled(data, throttle, signal)) {
    moved(signal);
    yield piece;
  }
}

/** The same bytes in slices, each given when it may go. */
export async function* throttled(
  data: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  throttle: Throttle | undefined,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  for await (const piece of data) {
    if (throttle === undefined) yield piece;
    else yield* slices(piece, throttle, signal);
  }
}

async function* slices(
  piece: Uint8Array,
  throttle: Throttle,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  for (const slice of inSlices([piece], sliceBytes)) {
    await throttle.take(slice.length, signal);
    yield slice;
  }
}

function* inSlices(data: Iterable<Uint8Array>, bytes: number): Generator<Uint8Array, void> {
  for (const piece of data) for (let at = 0; at < piece.length; at += bytes) yield piece.subarray(at, at + bytes);
}
