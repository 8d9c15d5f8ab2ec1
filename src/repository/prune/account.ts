import type { FileId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { BlobIndex, BlobLocation } from '../index.ts';
import { headerEntryBytes, packOverheadBytes } from '../pack.ts';
import type { Blobs } from '../blob-set.ts';

/** What is used of a pack. Its header counts as used. */
export interface PackAccount {
  usedBlobs: number;
  unusedBlobs: number;
  /** Of the unused ones at first: blobs that are used, and stand in several places. */
  duplicateBlobs: number;
  usedBytes: number;
  unusedBytes: number;
  contents: 'data' | 'tree' | 'mixed';
  uncompressed: boolean;
}

/** Blobs and their bytes. */
export interface Tally {
  blobs: number;
  bytes: number;
}

export interface Account {
  readonly packs: ReadonlyMap<FileId, PackAccount>;
  readonly used: Tally;
  /** Further copies of used blobs. */
  readonly duplicate: Tally;
  readonly unused: Tally;
}

/**
 * Counts for each pack of the index what is used. Of a blob that stands in several packs one copy counts as used,
 * chosen so that packs become wholly used or wholly unused; never one in a pack that isn't there, while there is
 * another. 'blob-missing' when a used blob is in no pack.
 */
export function accountPacks(index: BlobIndex, used: Blobs, isStored: (pack: FileId) => boolean): Account {
  const packs = new Map<FileId, PackAccount>();
  const account: Account = { packs, used: nothing(), duplicate: nothing(), unused: nothing() };
  const copies = new Map<string, number>();
  let single = 0;
  for (const blob of index.all()) {
    const pack = packOf(packs, blob);
    const places = used.has(blob.type, blob.id) ? index.locations(blob.type, blob.id) : [];
    if (places.length === 0) {
      enterUnused(blob, pack, account.unused);
    } else if (places.length === 1) {
      single += 1;
      move(blob, pack, undefined, account.used);
    } else {
      enterUnused(blob, pack, account.duplicate);
      const stored = places.filter((place) => isStored(place.pack)).length;
      copies.set(blob.type + blob.id, stored || places.length);
      if (stored === 0 || isStored(blob.pack)) pack.duplicateBlobs += 1;
    }
  }
  const missing = used.size - single - copies.size;
  if (missing > 0) throw missingBlobs(missing);
  if (copies.size > 0) chooseCopies(index, account, copies, isStored);
  return account;
}

function nothing(): Tally {
  return { blobs: 0, bytes: 0 };
}

function missingBlobs(missing: number): HoldfastError {
  return new HoldfastError('blob-missing', `${missing} blobs that snapshots need are in no index: nothing was pruned`);
}

function packOf(packs: Map<FileId, PackAccount>, { pack, type, compressed }: BlobLocation): PackAccount {
  const known = packs.get(pack);
  const account = known ?? {
    usedBlobs: 0,
    unusedBlobs: 0,
    duplicateBlobs: 0,
    usedBytes: packOverheadBytes([]),
    unusedBytes: 0,
    contents: type,
    uncompressed: false,
  };
  if (!known) packs.set(pack, account);
  if (account.contents !== type) account.contents = 'mixed';
  account.usedBytes += headerEntryBytes(compressed);
  account.uncompressed ||= !compressed;
  return account;
}

function enterUnused({ length }: BlobLocation, pack: PackAccount, tally: Tally): void {
  pack.unusedBlobs += 1;
  pack.unusedBytes += length;
  tally.blobs += 1;
  tally.bytes += length;
}

/** Counts a blob as used, that so far counted in `from`, or nowhere. */
function move({ length }: BlobLocation, pack: PackAccount, from: Tally | undefined, to: Tally): void {
  pack.usedBlobs += 1;
  pack.usedBytes += length;
  to.blobs += 1;
  to.bytes += length;
  if (!from) return;
  pack.unusedBlobs -= 1;
  pack.unusedBytes -= length;
  from.blobs -= 1;
  from.bytes -= length;
}

/**
 * A copy counts as used where other blobs of its pack are used; where its pack holds only copies, as an interrupted
 * prune leaves them; or where it is the last. `remaining` counts the copies that are still to come; 0 once chosen.
 */
function chooseCopies(
  index: BlobIndex,
  account: Account,
  remaining: Map<string, number>,
  isStored: (pack: FileId) => boolean,
): void {
  for (const blob of index.all()) {
    const name = blob.type + blob.id;
    const left = remaining.get(name) ?? 0;
    const pack = account.packs.get(blob.pack);
    if (left === 0 || pack === undefined || !mayChoose(index, blob, isStored)) continue;
    const chosen = pack.usedBlobs > 0 || pack.duplicateBlobs === pack.unusedBlobs || left === 1;
    if (chosen) move(blob, pack, account.duplicate, account.used);
    remaining.set(name, chosen ? 0 : left - 1);
  }
}

function mayChoose(index: BlobIndex, { type, id, pack }: BlobLocation, isStored: (pack: FileId) => boolean): boolean {
  return isStored(pack) || !index.locations(type, id).some((place) => isStored(place.pack));
}
