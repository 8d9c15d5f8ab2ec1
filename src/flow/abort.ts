import type { Clock } from '../clock/clock.ts';

/**
 * Waits for `promise`, but not longer than until `signal` aborts: then rejects with the signal's reason. What the
 * promise stands for goes on by itself; its later rejection is no concern of anybody any more.
 */
export async function orAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promise;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

export interface Deadline {
  readonly ms: number;
  readonly clock: Clock;
  /** The error to end with when the time is up. */
  readonly error: () => Error;
  readonly signal?: AbortSignal | undefined;
}

/** Runs `task` for at most `deadline.ms`; its signal is aborted when the time is up or the caller's signal is. */
export async function withDeadline<T>(deadline: Deadline, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = new AbortController();
  const signal = deadline.signal ? AbortSignal.any([deadline.signal, late.signal]) : late.signal;
  const timer = deadline.clock.sleep(deadline.ms, done.signal).then(
    () => late.abort(deadline.error()),
    () => undefined, // the task was done before its time was up
  );
  try {
    signal.throwIfAborted();
    return await orAborted(task(signal), signal);
  } finally {
    done.abort();
    await timer;
  }
}
