import { orAborted, type Deadline } from './abort.ts';

/** How long a task may take. */
export interface StallBound extends Deadline {
  /** For a task that tells when bytes move, until it moves first; never more than `ms`. */
  readonly firstMs: number;
  /** Between two moves. */
  readonly idleMs: number;
  /** In all, once it has moved. */
  readonly mostMs: number;
}

interface Watch {
  readonly begun: () => void;
  readonly moved: () => void;
}

const watches = new WeakMap<AbortSignal, Watch>();

/** The task of this signal will tell when it moves. */
export function begun(signal: AbortSignal | undefined): void {
  if (signal) watches.get(signal)?.begun();
}

/** Bytes have moved for the task of this signal: it doesn't stand still. */
export function moved(signal: AbortSignal | undefined): void {
  if (signal) watches.get(signal)?.moved();
}

/**
 * Runs `task`, whose signal is aborted when it stands still for too long or the caller's signal is aborted. One that
 * tells nothing gets `ms` in all; one that tells of its moves may be slow.
 */
export async function unlessStalled<T>(bound: StallBound, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock } = bound;
  const done = new AbortController();
  const late = new AbortController();
  const signal = bound.signal ? AbortSignal.any([bound.signal, late.signal]) : late.signal;
  const startMs = clock.monotonicMs();
  let untilMs = startMs + bound.ms;
  let hasMoved = false;
  watches.set(signal, {
    begun: () => {
      if (!hasMoved) untilMs = Math.min(untilMs, clock.monotonicMs() + bound.firstMs);
    },
    moved: () => {
      hasMoved = true;
      untilMs = Math.min(clock.monotonicMs() + bound.idleMs, startMs + bound.mostMs);
    },
  });
  const watch = async (): Promise<void> => {
    for (let leftMs = untilMs - startMs; leftMs > 0; leftMs = untilMs - clock.monotonicMs())
      await clock.sleep(Math.min(leftMs, bound.idleMs), done.signal);
    late.abort(bound.error());
  };
  try {
    signal.throwIfAborted();
    const running = orAborted(task(signal), signal);
    const watching = watch().catch(() => undefined); // the task was done before its time was up
    try {
      return await running;
    } finally {
      done.abort();
      await watching;
    }
  } finally {
    watches.delete(signal);
  }
}
