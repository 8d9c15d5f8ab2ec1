import type { Listener } from '../events/events.ts';
import type { Repository } from '../repository/repository.ts';

/**
 * For work that only reads: what an unreadable index file alone names can't be found, which is told as a warning; all
 * else can.
 */
export async function loadReadableIndex(repository: Repository, listener: Listener): Promise<void> {
  await repository.loadIndex(listener, {
    onUnreadable: (id, { message }) =>
      listener({ kind: 'warning', during: 'loading the index', item: `index ${id}`, message }),
  });
}
