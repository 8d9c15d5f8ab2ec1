import type { BlobId } from '../bytes/ids.ts';
import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import type { BlobWriter, Repository } from '../repository/repository.ts';
import { Archiver } from './archive/archiver.ts';
import type { ChangeDetection } from './archive/unchanged.ts';
import type { Entry } from './entry.ts';
import type { BackupCounts } from './snapshot.ts';

export type { ChangeDetection } from './archive/unchanged.ts';
export { archivePhase, type ArchivedNote } from './archive/report.ts';

export interface ArchiveInput {
  /** Its index is loaded. */
  readonly repository: Pick<Repository, 'index' | 'readBlob'>;
  readonly writer: BlobWriter;
  /** In the order that Entry demands. */
  readonly entries: AsyncIterable<Entry>;
  /** The tree of the parent snapshot. */
  readonly parent?: BlobId;
  readonly detection: ChangeDetection;
  /** Modification time of folders that no entry describes. */
  readonly timeNs: bigint;
  readonly clock: Clock;
  /** Gets progress; warnings for what was left out; and, with 'each-item', an ArchivedNote for each item. */
  readonly listener: Listener;
  readonly notes: 'each-item' | 'none';
  readonly signal: AbortSignal;
}

export interface ArchiveOutcome {
  readonly tree: BlobId;
  readonly counts: BackupCounts;
  /** Items that couldn't be read and are left out, each told by a warning. */
  readonly unread: number;
}

/**
 * Turns entries into trees, bottom-up as they stream by, and has their contents stored. Nothing is durable before
 * the writer is flushed. Memory: the width of the folders that are open at a time.
 *
 * A file whose type, size, mtime, ctime and inode are as in the parent, and whose blobs are all in the index, is
 * taken over unread. One that can't be read is left out and counted. A stream that fails fails the archive
 * ('source-failed'): it is all there is of its source.
 */
export async function archive(input: ArchiveInput): Promise<ArchiveOutcome> {
  await using archiver = new Archiver(input);
  for await (const entry of input.entries) {
    const taken = archiver.take(entry);
    if (taken !== undefined) await taken;
  }
  const { tree, isEmpty } = await archiver.finish();
  archiver.report.tellProgress();
  if (isEmpty) throw new HoldfastError('source-failed', 'there is nothing to back up');
  return { tree, counts: archiver.report.counter.counts(), unread: archiver.report.unread };
}
