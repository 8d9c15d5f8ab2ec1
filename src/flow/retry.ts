import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';

export interface RetryOptions {
  /** At most this many attempts, the first included. */
  readonly attempts: number;
  /** No attempt starts later than this after the first. */
  readonly untilMs?: number;
  /** The first pause; each further one is twice as long, up to `maxMs`. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** The part of each pause that is left to chance, 0 to 1 (0.5: between half and all of it). */
  readonly jitter: number;
  /** 0 up to 1; handed in so that a test can repeat itself. */
  readonly random?: () => number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** Whether another attempt can help. */
  readonly retryable: (error: unknown) => boolean;
  /**
   * Called before each pause. It is longer by what the error asks for (`retryAfterMs`), five minutes at most: whoever is
   * asked too often says so, and is not asked by all at once again.
   */
  readonly onRetry?: (error: unknown, pauseMs: number) => void;
}

/** Runs `task` until it succeeds; throws the last error. `task` gets the number of the attempt, from 1. */
export async function retry<T>(options: RetryOptions, task: (attempt: number) => Promise<T>): Promise<T> {
  const startMs = options.clock.monotonicMs();
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    try {
      return await task(attempt);
    } catch (error) {
      const waitMs = pauseMs(options, attempt) + askedMs(error);
      const elapsedMs = options.clock.monotonicMs() - startMs;
      const late = options.untilMs !== undefined && elapsedMs + waitMs > options.untilMs;
      if (attempt >= options.attempts || late || options.signal?.aborted || !options.retryable(error)) throw error;
      options.onRetry?.(error, waitMs);
      await options.clock.sleep(waitMs, options.signal);
    }
  }
}

const mostAskedMs = 5 * 60_000;

function askedMs(error: unknown): number {
  return error instanceof HoldfastError ? Math.min(error.retryAfterMs ?? 0, mostAskedMs) : 0;
}

function pauseMs(options: RetryOptions, attempt: number): number {
  const full = Math.min(options.maxMs, options.baseMs * 2 ** (attempt - 1));
  const random = options.random ?? Math.random;
  return full * (1 - options.jitter * random());
}
