import type { Clock } from '../../../clock/clock.ts';
import { withDeadline } from '../../../flow/abort.ts';
import { HoldfastError } from '../../../errors/error.ts';

/**
 * A table of which most rows are dead is read for long before its first byte comes; a lock is waited for ten minutes. What
 * says nothing for longer than that hangs, as behind a network that is gone without a word.
 */
export const usualQuietMs = 2 * 60 * 60_000;

export interface Quiet {
  readonly clock: Clock;
  readonly mostMs: number;
  readonly signal: AbortSignal;
}

/** What a program writes. 'source-failed' once it has written nothing for so long; a slow taker doesn't count. */
export async function* unstalled(
  program: string,
  output: AsyncIterable<Uint8Array>,
  { clock, mostMs, signal }: Quiet,
): AsyncGenerator<Uint8Array> {
  const error = (): HoldfastError => stalled(program, mostMs);
  const iterator = output[Symbol.asyncIterator]();
  for (;;) {
    const next = await withDeadline({ ms: mostMs, clock, error, signal }, async () => await iterator.next());
    if (next.done === true) return;
    yield next.value;
  }
}

export function stalled(program: string, quietMs: number): HoldfastError {
  const minutes = Math.round(quietMs / 60_000);
  return new HoldfastError('source-failed', `${program} has written nothing for ${minutes} minutes: it is given up`, {
    next: 'See what the server does (pg_stat_activity) and whether the way to it is open. No snapshot was written.',
  });
}
