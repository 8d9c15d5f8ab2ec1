import type { Clock } from '../clock/clock.ts';

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
  for (let at = 0; at < piece.length; at += sliceBytes) {
    const slice = piece.subarray(at, at + sliceBytes);
    await throttle.take(slice.length, signal);
    yield slice;
  }
}
