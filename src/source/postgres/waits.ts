import { systemClock, type Clock } from '../../clock/clock.ts';
import { HoldfastError } from '../../errors/error.ts';

/** How long a server may keep us waiting; one that stalls without closing its connection would hang a backup for ever. */
export interface Waits {
  readonly clock: Clock;
  /** Until it has let the role in. */
  readonly connectMs: number;
  /** For all rows of a statement. */
  readonly answerMs: number;
  /** For the first of what a replication command sends, which for a base backup comes after its checkpoint. */
  readonly firstMs: number;
  /** Between two of them; while nothing is asked for, as when the repository is slow, no time passes. */
  readonly idleMs: number;
  /** For its goodbye. */
  readonly endMs: number;
}

const [second, minute, hour] = [1000, 60_000, 3_600_000] as const;

export const usualWaits: Waits = {
  clock: systemClock,
  connectMs: 30 * second,
  answerMs: 10 * minute,
  firstMs: 2 * hour,
  idleMs: 10 * minute,
  endMs: 5 * second,
};

/** 'source-failed'. `where` is a host and a port, and no address, which may hold a password. */
export function stalled(where: string, during: string, ms: number): HoldfastError {
  const waited = ms >= minute ? `${Math.round(ms / minute)} minutes` : `${ms / second} seconds`;
  return new HoldfastError(
    'source-failed',
    `the PostgreSQL server at ${where} has not answered for ${waited}, ${during}; what is stored already is unharmed`,
    {
      next: 'look at the log, the disks and the load of the server, and at the network in between; then run this again',
    },
  );
}

/** What waits for a server, and since when. */
export interface Waiting {
  /** undefined: for nothing, just now. */
  readonly sinceMs: number | undefined;
  readonly hasAnswered: boolean;
}

/** Calls `late` with the bound that was exceeded; resolves once `done` is aborted, or late. */
export async function watchWaits(
  { clock, firstMs, idleMs }: Waits,
  waiting: () => Waiting,
  { done, late }: { readonly done: AbortSignal; readonly late: (ms: number) => void },
): Promise<void> {
  while (!done.aborted) {
    const { sinceMs, hasAnswered } = waiting();
    const mostMs = hasAnswered ? idleMs : firstMs;
    const leftMs = sinceMs === undefined ? mostMs : mostMs - (clock.monotonicMs() - sinceMs);
    if (leftMs <= 0) {
      late(mostMs);
      return;
    }
    // No longer than the shorter of the bounds, which may hold meanwhile.
    await clock.sleep(Math.min(leftMs, idleMs), done).catch(() => undefined); // all has come
  }
}
