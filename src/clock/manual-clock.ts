import type { Clock } from './clock.ts';

interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

/** How many turns of the event loop a leaping clock leaves to everybody else before it takes them all for asleep. */
const quietTurns = 25;

/**
 * A clock for tests: it stands still until `advance`. A `leaping` one moves by itself: once nothing has happened for
 * some turns of the event loop, it leaps to where the first sleeper wakes (so no work that takes real time, as on
 * disks, belongs beside it).
 */
export class ManualClock implements Clock {
  readonly #startNs: bigint;
  readonly #leaping: boolean;
  readonly #sleepers = new Set<Sleeper>();
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
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { untilMs: this.#elapsedMs + ms, wake: resolve };
    const abort = (): void => {
      this.#sleepers.delete(sleeper);
      reject(signal?.reason);
    };
    this.#sleepers.add(sleeper);
    signal?.addEventListener('abort', abort, { once: true });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    if (this.#leaping) this.#leapWhenQuiet(sleeper, quietTurns);
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

  #leapWhenQuiet(sleeper: Sleeper, turns: number): void {
    if (!this.#sleepers.has(sleeper)) return;
    if (turns > 0) {
      setImmediate(() => this.#leapWhenQuiet(sleeper, turns - 1));
      return;
    }
    const nextMs = Math.min(...[...this.#sleepers].map(({ untilMs }) => untilMs));
    this.advance(nextMs - this.#elapsedMs);
    this.#leapWhenQuiet(sleeper, quietTurns);
  }
}
