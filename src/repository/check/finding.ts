import type { BlobId, FileId } from '../../bytes/ids.ts';
import type { Listener } from '../../events/events.ts';
import type { BlobType } from '../index.ts';

/** Something that `check` found. An 'error' means that data is, or may be, lost; a 'hint' that tidying helps. */
export interface Finding {
  readonly severity: 'error' | 'hint';
  readonly code: FindingCode;
  /** What is wrong, with full IDs. */
  readonly message: string;
  /** The index file that is meant. */
  readonly index?: FileId;
  readonly pack?: FileId;
  readonly blob?: { readonly type: BlobType; readonly id: BlobId };
}

export type FindingCode =
  /** An index file can't be read: what it alone names counts as missing. */
  | 'index-unreadable'
  /** Index files say different things of one pack. */
  | 'index-contradicts'
  /** A pack is named by several index files (hint). */
  | 'pack-duplicate'
  /** A pack holds trees and data (hint): old versions of restic made such. */
  | 'pack-mixed'
  /** An index names a pack that isn't there, asked for by its own name too. */
  | 'pack-missing'
  /** A pack is there, though the storage's listing leaves it out (hint). */
  | 'pack-unlisted'
  /** A pack is shorter or longer than its index implies. */
  | 'pack-size'
  /** No index names the pack (hint): an interrupted backup, or one that runs elsewhere. */
  | 'pack-unindexed'
  /** The storage doesn't give the pack's bytes. */
  | 'pack-unreadable'
  /** The pack's bytes are not those that its name says. */
  | 'pack-hash'
  /** The pack's own header is unreadable or names other blobs than the index. */
  | 'pack-header'
  /** The index leaves bytes of the pack to no blob, or to two. */
  | 'pack-gap'
  /** A first reading was wrong, a second was right: the storage, the network or the memory errs at times. */
  | 'pack-unsteady'
  /** A blob's seal, compression or hash is wrong. */
  | 'blob-damaged';

export type Report = (finding: Finding) => void;

export interface CheckOptions {
  /** Told of each finding as it is made. */
  readonly report: Report;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

export interface DataOptions extends CheckOptions {
  /** 0 up to 1; handed in so that a test can repeat itself. */
  readonly random: () => number;
  /** Called with the packs that are going to be read; the reading begins when it resolves. */
  readonly beforeReading?: (packs: ReadonlySet<FileId>) => Promise<void>;
}

export interface CheckSummary {
  /** Findings that are errors. */
  readonly errors: number;
  /** Packs that `repair packs` would salvage what is left of. */
  readonly brokenPacks: ReadonlySet<FileId>;
  /** Index files mark them for deletion, and they count as absent. */
  readonly markedPacks: ReadonlySet<FileId>;
  /** The index is damaged or names packs several times. */
  readonly suggestRepairIndex: boolean;
  /** There is something to tidy up. */
  readonly suggestPrune: boolean;
}
