import type { WaitOptions } from './storage.ts';

/**
 * What a storage offers beyond its contract where objects can lie in an archive: whole and listed, but not to be read
 * before they are thawed, which takes minutes to days and costs money.
 *
 * Until then a `get` fails with 'storage-archived', which never passes by itself. `thaw` asks for a copy that can be
 * read, and resolves long before there is one; `stateOf` tells when. The copy ends by itself after the days that were
 * asked for, and the object is archived as before. To thaw what is being thawed changes nothing; to thaw what is
 * thawed has its copy end so many days from now.
 *
 * Errors are those of `Storage`; a `thaw` in a tier that the object's class doesn't have is 'usage'.
 */
export interface Archive {
  /** What the user has said of it. */
  readonly wishes: ThawWishes;
  /**
   * Whether archived objects are among the first that a list gives, in a single request. Of objects named by their
   * hashes these are a fair sample.
   */
  probe(prefix: string, options?: WaitOptions): Promise<'some' | 'none seen'>;
  /** The keys of all objects that lie in an archive, thawed or not. */
  list(prefix: string, options?: WaitOptions): AsyncIterable<string>;
  /** Undefined for an object that doesn't lie in an archive. */
  stateOf(key: string, options?: WaitOptions): Promise<ArchivedObject | undefined>;
  thaw(key: string, options?: WaitOptions): Promise<void>;
  /** How long a thaw takes by the vendor's word: of a class in a tier. Undefined where it says nothing. */
  usualTime(storageClass: string, tier: ThawTier): UsualTime | undefined;
}

export interface ArchivedObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** The vendor's name: 'DEEP_ARCHIVE'. */
  readonly storageClass: string;
  readonly state: ThawState;
}

export type ThawState =
  | { readonly kind: 'archived' }
  | { readonly kind: 'thawing' }
  /** Readable until then (nanoseconds since 1970), where the storage tells. */
  | { readonly kind: 'thawed'; readonly untilNs: bigint | undefined };

/** From dear and quick to cheap and slow. */
export type ThawTier = 'Expedited' | 'Standard' | 'Bulk';

export interface UsualTime {
  readonly leastMs: number;
  readonly mostMs: number;
}

export interface ThawWishes {
  /** 'refused': nothing is asked for, for that costs money. */
  readonly permission: 'given' | 'refused';
  readonly days: number;
  readonly tier: ThawTier;
  /** How long to wait for what was asked for. */
  readonly patienceMs: number;
  /** What a GiB costs to thaw, in whichever currency; undefined where the user didn't say. */
  readonly pricePerGib: number | undefined;
}
