/** Runs at most a fixed number of tasks at a time; the others wait in the order they came. */
export type Limiter = <T>(task: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** A limiter for `limit` tasks at a time. A task whose signal aborts while it waits is never started. */
export function limiter(limit: number): Limiter {
  if (!Number.isInteger(limit) || limit < 1)
    throw new RangeError(`a limiter needs a whole limit of 1 or more, not ${limit}`);
  const waiting = new Set<() => void>();
  let running = 0;

  const enter = async (signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    if (running < limit) {
      running++;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const leave = (): void => {
      waiting.delete(turn.resolve);
      turn.reject(signal?.reason);
    };
    waiting.add(turn.resolve);
    signal?.addEventListener('abort', leave, { once: true });
    await turn.promise;
    signal?.removeEventListener('abort', leave);
  };

  /** The place is handed to the next in line, so that nobody can slip in between. */
  const exit = (): void => {
    const [next] = waiting;
    if (next === undefined) {
      running--;
      return;
    }
    waiting.delete(next);
    next();
  };

  return async (task, signal) => {
    await enter(signal);
    try {
      return await task();
    } finally {
      exit();
    }
  };
}
