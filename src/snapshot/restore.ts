import type { BlobId, FileId, RawPath } from '../bytes/ids.ts';
import { silent, type Listener } from '../events/events.ts';
import type { XattrSelection } from '../host/attributes.ts';
import type { BlobReader, Repository } from '../repository/repository.ts';
import { Restorer } from './restore/restorer.ts';

export { DiskFull, TargetFailed } from './restore/full-disk.ts';
export { restorePhase } from './restore/tally.ts';

/**
 * Puts a tree below a folder. It never leaves that folder: every directory is reached through its parent's
 * descriptor, no link is followed, and names that aren't plain are refused. What can't be restored is a 'warning' and
 * counted in `failures`; the rest goes on. A disk that is full ends it, by `DiskFull`.
 *
 * Existing content. Whatever `overwrite` lets us touch ends as it is in the snapshot. Blobs that a file holds already
 * at their place are not written again, which is also how a restore resumes after a kill: run it again. A file gets
 * its time only after its content, so `if-changed` never takes a half-written file for a finished one.
 *
 * Memory: one tree a level, a bounded number of files at work, and a note for each file with several links.
 */
export async function restoreTree(request: RestoreRequest): Promise<RestoreOutcome> {
  return await new Restorer(request).run();
}

/** The packs of data that a restore would read, found as a dry run finds what it would write. Changes nothing. */
export async function packsToRestore(request: RestoreRequest): Promise<ReadonlySet<FileId>> {
  const packs = new Set<FileId>();
  const options = { ...request.options, mode: 'dry-run', extras: 'keep', verify: 'no' } as const;
  await new Restorer({ ...request, options, listener: silent, onPack: (pack) => packs.add(pack) }).run();
  return packs;
}

/** By how many bytes the disk fills up, 'delete first' as the way; below 0 where it gets emptier. Changes nothing. */
export async function growthByRestore(request: RestoreRequest): Promise<number> {
  const options = { ...request.options, mode: 'dry-run' } as const;
  return await new Restorer({ ...request, options }).growth();
}

export interface RestoreRequest {
  /** With its index loaded. */
  readonly repository: Repository;
  readonly tree: BlobId;
  /** The folder to restore to; made with its parents when it isn't there. */
  readonly target: RawPath;
  readonly options: RestoreOptions;
  readonly listener: Listener;
  readonly signal: AbortSignal;
  /** Of that repository, where several restores share one; undefined: one of its own. */
  readonly reader?: BlobReader;
  /** In a dry run: told of each pack of which something would be read, often more than once. */
  readonly onPack?: (pack: FileId) => void;
}

export interface RestoreOptions {
  readonly overwrite: Overwrite;
  /** Which items are wanted. */
  readonly select: Select;
  /**
   * 'delete': what the snapshot doesn't hold is removed from restored folders, as far as `select` wants it; 'delete first':
   * before anything is written, so that its room is there for the rest.
   */
  readonly extras: 'keep' | 'delete' | 'delete first';
  /** 'dry-run': looks, tells and counts, and changes nothing. */
  readonly mode: 'write' | 'dry-run';
  /** 'sparse': runs of zeros become holes in new files. */
  readonly holes: 'dense' | 'sparse';
  /** 'read-back': every file is read again when all is written, and compared. Not with 'dry-run'. */
  readonly verify: 'no' | 'read-back';
  readonly selectXattr: XattrSelection;
}

export type Overwrite = 'always' | 'if-changed' | 'if-newer' | 'never';

/** `location` is the path below the snapshot's root, with a leading '/'. */
export type Select = (location: RawPath, type: 'directory' | 'other') => Selection;

export interface Selection {
  readonly selected: boolean;
  /** Whether anything below may be selected. */
  readonly childrenMayBe: boolean;
}

export interface RestoreOutcome {
  readonly totalItems: number;
  readonly restoredItems: number;
  readonly skippedItems: number;
  readonly deletedItems: number;
  readonly totalBytes: number;
  readonly restoredBytes: number;
  readonly skippedBytes: number;
  /** Items that were not restored, or not whole; each was told as a warning. */
  readonly failures: number;
  /** With 'read-back': files found right. */
  readonly verifiedFiles?: number;
  /** What this host or user could not keep, with how often: 'owner', 'extended attributes'. No failure by itself. */
  readonly notPreserved: ReadonlyMap<string, number>;
}

/** Everything is wanted. */
export const selectAll: Select = () => ({ selected: true, childrenMayBe: true });
