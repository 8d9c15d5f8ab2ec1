/** Runs at most a fixed number of tasks at a time; the others wait in the order they came. */
export type Limiter = <T>(task: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** A limiter for `limit` tasks at a time. A task whose signal aborts while it waits is never started. */
export function limiter(limit: number): Limiter {
  const places = new Places(limit);
  return async (task, signal) => {
    await places.enter(signal);
    try {
      return await task();
    } finally {
      places.leave();
    }
  };
}

class Places {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    if (!Number.isInteger(count) || count < 1) throw new RangeError(`a limiter needs a whole limit, not ${count}`);
    this.#free = count;
  }

  async enter(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => {
      this.#waiting.delete(resolve);
      reject(signal?.reason);
    };
    this.#waiting.add(resolve);
    signal?.addEventListener('abort', abort, { once: true });
    await promise;
    signal?.removeEventListener('abort', abort);
  }

  /** The place is handed to the next in line, so that nobody slips in between. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
