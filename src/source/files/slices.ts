import type { Clock } from '../../clock/clock.ts';

const sliceMs = 5;

export interface SliceOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called after the last step; may throw. */
  readonly onEnd?: () => void;
}

/**
 * Runs synchronous steps a few milliseconds at a time, so that the rest of the program gets its turn; hands on what
 * the steps found. Throws the signal's reason when it is aborted. No async generator: of its three promises a result
 * one is needed.
 */
export function inSlices<Result extends object>(
  start: () => Iterator<Result | undefined, void>,
  options: SliceOptions,
): AsyncIterable<Result> {
  return { [Symbol.asyncIterator]: () => new Slices(start, options) };
}

class Slices<Result extends object> implements AsyncIterator<Result, undefined> {
  readonly #start: () => Iterator<Result | undefined, void>;
  readonly #options: SliceOptions;
  #steps: Iterator<Result | undefined, void> | undefined;
  #untilMs = 0;
  #count = 0;

  constructor(start: () => Iterator<Result | undefined, void>, options: SliceOptions) {
    this.#start = start;
    this.#options = options;
    this.#untilMs = options.clock.monotonicMs() + sliceMs;
  }

  next(): Promise<IteratorResult<Result, undefined>> {
    try {
      const found = this.#find();
      return found === 'later' ? this.#afterOthers() : Promise.resolve(found);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** The rest is not wanted. */
  async return(): Promise<IteratorResult<Result, undefined>> {
    this.#steps?.return?.();
    return { done: true, value: undefined };
  }

  #find(): IteratorResult<Result, undefined> | 'later' {
    const steps = (this.#steps ??= this.#start());
    for (;;) {
      this.#count += 1;
      if (this.#count % 16 === 0 && this.#options.clock.monotonicMs() > this.#untilMs) return 'later';
      const { done, value } = steps.next();
      if (done === true) return this.#end();
      if (value !== undefined) return { done: false, value };
    }
  }

  #end(): IteratorResult<Result, undefined> {
    this.#options.signal.throwIfAborted();
    this.#options.onEnd?.();
    return { done: true, value: undefined };
  }

  async #afterOthers(): Promise<IteratorResult<Result, undefined>> {
    this.#options.signal.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
    this.#untilMs = this.#options.clock.monotonicMs() + sliceMs;
    return await this.next();
  }
}
