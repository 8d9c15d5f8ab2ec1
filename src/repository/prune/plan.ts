import type { FileId } from '../../bytes/ids.ts';

/** What may stay unused in packs that are also used. */
export type UnusedLimit =
  | { readonly kind: 'unlimited' }
  /** Of the size of the repository afterwards; below 100. */
  | { readonly kind: 'percent'; readonly percent: number }
  | { readonly kind: 'bytes'; readonly bytes: number };

/** As the options of `restic prune`. */
export interface PruneOptions {
  readonly maxUnused: UnusedLimit;
  /** Stop when packs of so many bytes are to be rewritten. */
  readonly maxRepackBytes?: number;
  /** Packs below this are rewritten into larger ones; by default a size that few packs are below. */
  readonly repackSmallerThanBytes?: number;
  /** Leave packs with data as they are. */
  readonly repackCacheableOnly: boolean;
  /** Compress what an old version left uncompressed. */
  readonly repackUncompressed: boolean;
  /**
   * For a storage without any free space: rewrites nothing, and deletes the old index before it writes the new one. A
   * crash in between leaves the repository without an index.
   */
  readonly unsafeRecoverNoFreeSpace: boolean;
}

/** restic's defaults. */
export const pruneDefaults: PruneOptions = {
  maxUnused: { kind: 'percent', percent: 5 },
  repackCacheableOnly: false,
  repackUncompressed: false,
  unsafeRecoverNoFreeSpace: false,
};

/** What a prune is going to do: nothing else is done. Made from the state under the exclusive lock. */
export interface PrunePlan {
  /** No index names them, and they are old enough that no backup is about to: deleted first. */
  readonly removeUnindexed: readonly FileId[];
  /** Of those, what rustic had marked for deletion: the marks go too. */
  readonly unmark: readonly FileId[];
  /** No index names them yet, or rustic has marked them lately: another client may be about to use them. */
  readonly leaveUnindexed: readonly FileId[];
  /** Rewritten into new packs, as far as used, then deleted. */
  readonly repack: readonly FileId[];
  /** Nothing in them is used: deleted. */
  readonly remove: readonly FileId[];
  /** Not there, and not needed: the index forgets them. */
  readonly forget: readonly FileId[];
  readonly statistics: PruneStatistics;
}

/** Counts and bytes as `restic prune --json` tells them. */
export interface PruneStatistics {
  readonly blobs: {
    readonly used: number;
    readonly duplicate: number;
    readonly unused: number;
    readonly total: number;
    readonly repack: number;
    readonly repackRemove: number;
    readonly remove: number;
    readonly removeTotal: number;
    readonly remaining: number;
  };
  readonly bytes: {
    readonly used: number;
    readonly duplicate: number;
    readonly unused: number;
    readonly unreferenced: number;
    readonly uncompressed: number;
    readonly total: number;
    readonly repack: number;
    readonly repackRemove: number;
    readonly remove: number;
    readonly removeTotal: number;
    readonly remaining: number;
    readonly remainingUnused: number;
  };
  readonly packs: {
    readonly used: number;
    readonly unused: number;
    readonly partlyUsed: number;
    readonly unreferenced: number;
    readonly total: number;
    readonly keep: number;
    readonly repack: number;
    readonly remove: number;
    readonly removeTotal: number;
  };
}
