import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import type { Repository } from './repository.ts';

/** Whoever still writes after a day has lost its work. */
const youngNs = 24n * 3_600_000_000_000n;

/**
 * Removes what interrupted writes left in the storage a day ago and longer, where it can leave such things. A note
 * 'leftovers-removed' {removed: number} tells how many; trouble is a warning, for they harm nobody.
 */
export async function removeLeftovers(
  { storage }: Repository,
  { clock, listener, signal }: { readonly clock: Clock; readonly listener: Listener; readonly signal: AbortSignal },
): Promise<void> {
  try {
    const removed = (await storage.removeLeftovers?.(clock.nowNs() - youngNs, { signal })) ?? 0;
    if (removed > 0) listener({ kind: 'note', name: 'leftovers-removed', data: { removed } });
  } catch (error) {
    if (!(error instanceof HoldfastError) || signal.aborted) throw error;
    listener({ kind: 'warning', during: 'prune', item: storage.url, message: error.message });
  }
}
