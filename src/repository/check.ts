import type { BlobId } from '../bytes/ids.ts';
import { Checked } from './check/checked.ts';
import type { BlobHandle } from './check/damage.ts';
import type { CheckOptions, CheckSummary, DataOptions } from './check/finding.ts';
import type { Subset } from './check/subset.ts';
import type { BlobType } from './index.ts';
import type { Repository } from './repository.ts';

export type { BlobHandle } from './check/damage.ts';
export type { CheckOptions, CheckSummary, DataOptions, Finding } from './check/finding.ts';
export { parseSubset, type Subset } from './check/subset.ts';

/**
 * What is known of a repository's files. Snapshots and their trees are walked elsewhere, with `repository`, which
 * reads the storage and never a cache.
 */
export interface CheckedRepository {
  readonly repository: Repository;
  readonly summary: CheckSummary;
  /** Reads the subset's packs, every byte. */
  readData(subset: Subset, options: DataOptions): Promise<void>;
  /** As far as was read: 'missing' when no index names it, 'broken' when it can't be had from where it should be. */
  stateOf(type: BlobType, id: BlobId): 'intact' | 'broken' | 'missing';
  /** Blobs that the index names and that can't be had. */
  brokenBlobs(): Iterable<BlobHandle>;
}

/** Checks what index files say, against each other and against what the storage holds. Hold the exclusive lock. */
export async function checkStructure(opened: Repository, options: CheckOptions): Promise<CheckedRepository> {
  const repository = opened.direct();
  const checked = new Checked(repository);
  const report = checked.noting(options.report);
  await repository.loadIndex(options.listener, {
    onUnreadable: (index, error) =>
      report({
        severity: 'error',
        code: 'index-unreadable',
        index,
        message: `index ${index} can't be read: ${error.message}`,
      }),
    onRead: (index, file) => checked.packs.addIndex(index, file),
  });
  options.signal.throwIfAborted();
  checked.packs.reportIndex(report);
  await checked.packs.reportStored(repository, report);
  checked.noteAbsentBlobs();
  return checked;
}
