import { setTimeout as delay } from 'node:timers/promises';

/** The only place that asks the time. Handed in, so that a test can stand still or leap. */
export interface Clock {
  /** Wall-clock time, nanoseconds since 1970-01-01 UTC. */
  nowNs(): bigint;
  /** Milliseconds on a clock that never steps back; only differences mean something. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowNs: () => Temporal.Now.instant().epochNanoseconds,
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal ? { signal } : {});
    } catch (error) {
      signal?.throwIfAborted(); // node rejects with its own AbortError, not with the reason
      throw error;
    }
  },
};
