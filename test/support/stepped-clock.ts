import { orAborted } from '../../src/flow/abort.ts';
import { systemClock, type Clock } from '../../src/clock/clock.ts';

/** Its time passes at the test's word alone. */
export class SteppedClock implements Clock {
  #nowMs = 0;
  #sleeping: { readonly untilMs: number; readonly wake: () => void }[] = [];

  nowNs(): bigint {
    return systemClock.nowNs();
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#sleeping.push({ untilMs: this.#nowMs + ms, wake: resolve });
    await orAborted(promise, signal);
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    const due = this.#sleeping.filter(({ untilMs }) => untilMs <= this.#nowMs);
    this.#sleeping = this.#sleeping.filter(({ untilMs }) => untilMs > this.#nowMs);
    for (const { wake } of due) wake();
  }
}
