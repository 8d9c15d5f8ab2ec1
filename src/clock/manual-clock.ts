import type { Clock } from './clock.ts';

/**
 * A clock for tests: it stands still until `advance`. With `leaping`, a sleep takes no real time: the clock leaps
 * to its end.
 */
export class ManualClock implements Clock {
  readonly #startNs: bigint;
  readonly #leaping: boolean;
  readonly #sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>();
  #elapsedMs = 0;
  #changed = Promise.withResolvers<void>();

  constructor(options: { readonly startNs?: bigint; readonly leaping?: true } = {}) {
    this.#startNs = options.startNs ?? 1_700_000_000_000_000_000n;
    this.#leaping = options.leaping ?? false;
  }

  nowNs(): bigint {
    return this.#startNs + BigInt(Math.round(this.#elapsedMs * 1e6));
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#leaping) return this.advance(ms);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper = { untilMs: this.#elapsedMs + ms, wake: resolve };
    const abort = (): void => {
      this.#sleepers.delete(sleeper);
      reject(signal?.reason);
    };
    this.#sleepers.add(sleeper);
    signal?.addEventListener('abort', abort, { once: true });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    await promise;
    signal?.removeEventListener('abort', abort);
  }

  /** Moves the time on and wakes whoever slept until then. */
  advance(ms: number): void {
    this.#elapsedMs += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.untilMs > this.#elapsedMs) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }

  /** Resolves once at least `count` sleep. */
  async sleeping(count: number): Promise<void> {
    while (this.#sleepers.size < count) await this.#changed.promise;
  }
}
