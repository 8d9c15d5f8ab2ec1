import { HoldfastError, hasCode } from '../../errors/error.ts';
import type { History, LogStore } from '../../log/log.ts';
import { lsnText } from './lsn.ts';

/** What no other attempt mends: it is another's log that stands there. */
export const logConflicts = ['log-conflict', 'log-timeline-taken'] as const;

export interface Written {
  readonly store: LogStore;
  readonly repository: string;
  readonly epoch: number;
  /** What the writer's own file says of that timeline; undefined where it has none. */
  readonly own: () => Promise<History | undefined>;
  /** In words: a data directory, an address. */
  readonly writer: string;
}

/**
 * A number of a timeline is chosen by whoever is promoted, who knows of those alone that it was told of: two that were
 * promoted apart take the same, and their logs share names. Names both, where a conflict is one of these.
 */
export async function namingTimelines<T>(written: Written, part: () => Promise<T>): Promise<T> {
  try {
    return await part();
  } catch (error) {
    if (!hasCode(error, 'log-conflict')) throw error;
    throw await named(error, written);
  }
}

async function named(conflict: HoldfastError, written: Written): Promise<HoldfastError> {
  const { epoch, writer, repository, store } = written;
  if (epoch === 1) return conflict;
  const [there, own] = [await historyIn(written), await written.own()];
  const cluster = `timeline ${epoch} of cluster ${store.name.stream}`;
  const message = `${cluster} stands in ${repository} as another server wrote it${whence(there)}; ${writer} writes one of the same number${whence(own)}: ${how(there, own)}`;
  return new HoldfastError('log-timeline-taken', message, { cause: conflict });
}

function whence(history: History | undefined): string {
  return history === undefined ? '' : ` (it left timeline ${history.parent} at ${lsnText(history.forkedAt)})`;
}

function how(there: History | undefined, own: History | undefined): string {
  const apart = there !== undefined && own !== undefined && there.forkedAt !== own.forkedAt;
  return apart ? 'both were promoted to it' : 'both were promoted to it, or one is a copy of the other';
}

async function historyIn({ store, epoch }: Written): Promise<History | undefined> {
  try {
    return await store.getHistory(epoch);
  } catch (error) {
    if (hasCode(error, 'storage-not-found', 'damaged')) return undefined;
    throw error;
  }
}
