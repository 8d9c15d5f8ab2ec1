import { hasCode } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { listOwnObjects, pruneJournalFolder } from '../repository/own-object.ts';
import type { JournalSummary } from '../repository/prune.ts';
import type { Repository } from '../repository/repository.ts';

/** What warnings are told during: they say nothing of what is backed up. */
export const pruneJournals = 'reading prune journals';

/**
 * Loads the index for who stores blobs. What only packs hold that a prune has marked counts as absent: it is stored
 * anew, so that those packs can go. Without the journals nothing is wrong, only such packs stay.
 */
export async function loadIndexToStore(
  repository: Repository,
  listener: Listener,
  journals = journalsToHeed(repository, listener),
): Promise<void> {
  const { candidates, unreadable } = await journals;
  const warn = (item: string, message: string): void =>
    listener({ kind: 'warning', during: pruneJournals, item, message });
  for (const { name, error } of unreadable) warn(name, `the packs in it count as any others: ${error.message}`);
  await repository.loadIndex(listener, candidates.size === 0 ? {} : { outgoing: { packs: candidates } });
}

const none: Pick<JournalSummary, 'candidates' | 'unreadable'> = { candidates: new Set(), unreadable: [] };

/** May be begun before anything else of the repository is read. Who may write backups need not be allowed to read everything. */
export async function journalsToHeed(repository: Repository, listener: Listener): Promise<typeof none> {
  try {
    if ((await listOwnObjects(repository, pruneJournalFolder)).length === 0) return none;
    const { summarizeJournals } = await import('../repository/prune.ts');
    return await summarizeJournals(repository);
  } catch (error) {
    if (!hasCode(error, 'storage-denied')) throw error;
    listener({ kind: 'warning', during: pruneJournals, item: pruneJournalFolder, message: error.message });
    return none;
  }
}
