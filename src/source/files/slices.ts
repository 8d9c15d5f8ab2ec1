import type { Clock } from '../../clock/clock.ts';

const sliceMs = 5;

/**
 * Runs synchronous steps a few milliseconds at a time, so that the rest of the program gets its turn; hands on what
 * the steps found. Throws the signal's reason when it is aborted.
 */
export async function* inSlices<Result extends object>(
  steps: Iterable<Result | undefined>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Result> {
  let [until, count] = [clock.monotonicMs() + sliceMs, 0];
  for (const found of steps) {
    count += 1;
    if (count % 16 === 0 && clock.monotonicMs() > until) {
      signal.throwIfAborted();
      await new Promise((resolve) => setImmediate(resolve));
      until = clock.monotonicMs() + sliceMs;
    }
    if (found !== undefined) yield found;
  }
  signal.throwIfAborted();
}
