import type { FileId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { RepositoryConfig } from '../repository.ts';
import type { Account, PackAccount } from './account.ts';
import type { PruneOptions, PrunePlan, UnusedLimit } from './plan.ts';
import { Statistics } from './statistics.ts';

export interface StoredPack {
  readonly sizeBytes: number;
  readonly modifiedNs?: bigint;
}

export interface PruneState {
  readonly account: Account;
  /** Every pack that the storage has. */
  readonly stored: ReadonlyMap<FileId, StoredPack>;
  /** Packs that rustic marked for deletion, and when (nanoseconds since 1970), where it says so. */
  readonly marked: ReadonlyMap<FileId, bigint | undefined>;
  readonly version: RepositoryConfig['version'];
  readonly nowNs: bigint;
}

const hourNs = 3_600_000_000_000n;
/** A backup that takes longer than this to write its index is not expected. */
const youngNs = 24n * hourNs;
/** rustic itself waits so long before it deletes what it marked. */
const markedNs = 23n * hourNs;
/** No fewer small packs are worth being rewritten, and the one last pack that is small never is. */
const fewestSmallPacks = 10;
const minPackBytes = 4 * 1024 * 1024;

interface Candidate {
  readonly id: FileId;
  readonly pack: PackAccount;
  readonly mustCompress: boolean;
}

/**
 * Decides by restic's rules what becomes of each pack. 'damaged' when a pack that is needed is missing or has another
 * size than its index implies: then nothing may be rewritten.
 */
export function decidePrune(state: PruneState, options: PruneOptions): PrunePlan {
  return new Decision(state, options).plan();
}

class Decision {
  readonly #state: PruneState;
  readonly #options: PruneOptions;
  readonly #targetBytes: number;
  readonly #statistics: Statistics;
  readonly #removeUnindexed: FileId[] = [];
  readonly #leaveUnindexed: FileId[] = [];
  readonly #remove: FileId[] = [];
  readonly #repack: FileId[] = [];
  readonly #candidates: Candidate[] = [];
  readonly #small: Candidate[] = [];

  constructor(state: PruneState, options: PruneOptions) {
    this.#state = state;
    this.#options = options;
    this.#statistics = new Statistics(state.account);
    this.#targetBytes = options.repackSmallerThanBytes ?? usualBytes(state.account.packs);
  }

  plan(): PrunePlan {
    for (const [id, { sizeBytes }] of this.#state.stored) {
      const pack = this.#state.account.packs.get(id);
      if (pack) this.#decide(id, pack, sizeBytes);
      else this.#decideUnindexed(id, sizeBytes);
    }
    const forget = this.#absent();
    this.#chooseRepacks();
    return {
      removeUnindexed: this.#removeUnindexed,
      unmark: this.#removeUnindexed.filter((id) => this.#state.marked.has(id)),
      leaveUnindexed: this.#leaveUnindexed,
      repack: this.#repack,
      remove: this.#remove,
      forget,
      statistics: this.#statistics.totals(this.#state.version),
    };
  }

  #decideUnindexed(id: FileId, sizeBytes: number): void {
    if (this.#mayBeWanted(id)) return void this.#leaveUnindexed.push(id);
    this.#removeUnindexed.push(id);
    this.#statistics.unreferenced(sizeBytes);
  }

  /** What is of unknown age may be young. */
  #mayBeWanted(id: FileId): boolean {
    const { stored, marked, nowNs } = this.#state;
    const sinceNs = stored.get(id)?.modifiedNs ?? marked.get(id) ?? nowNs;
    if (nowNs - sinceNs < youngNs) return true;
    return marked.has(id) && nowNs - (marked.get(id) ?? nowNs) < markedNs;
  }

  #decide(id: FileId, pack: PackAccount, sizeBytes: number): void {
    if (pack.usedBlobs > 0 && sizeOf(pack) !== sizeBytes) throw wrongSize(id, sizeOf(pack), sizeBytes);
    this.#statistics.pack(pack);
    const mustCompress = this.#mustCompress(pack);
    if (pack.usedBlobs === 0) {
      this.#remove.push(id);
      this.#statistics.remove(pack);
    } else if (this.#options.repackCacheableOnly && pack.contents === 'data') {
      this.#statistics.keep();
    } else if (pack.unusedBlobs > 0 || pack.contents === 'mixed' || mustCompress) {
      this.#candidates.push({ id, pack, mustCompress });
    } else if (sizeBytes >= this.#targetBytes) {
      this.#statistics.keep();
    } else {
      this.#small.push({ id, pack, mustCompress });
    }
  }

  /** From version 2 on trees always, data when asked for. */
  #mustCompress({ contents, uncompressed }: PackAccount): boolean {
    const wanted = contents === 'tree' || this.#options.repackUncompressed;
    return this.#state.version >= 2 && wanted && uncompressed;
  }

  /** Packs that the index names and the storage doesn't have: harmless when nothing in them is used. */
  #absent(): readonly FileId[] {
    const absent = [...this.#state.account.packs].filter(([id]) => !this.#state.stored.has(id));
    const needed = absent.filter(([, { usedBlobs }]) => usedBlobs > 0).map(([id]) => id);
    if (needed.length > 0) throw missingPacks(needed);
    for (const [, pack] of absent) this.#statistics.remove(pack);
    return absent.map(([id]) => id);
  }

  #chooseRepacks(): void {
    const { maxUnused, unsafeRecoverNoFreeSpace, maxRepackBytes = Infinity } = this.#options;
    const limitBytes = unsafeRecoverNoFreeSpace ? 0 : maxRepackBytes;
    const unusedLimitBytes = unusedLimit(maxUnused, this.#statistics.usedBytes);
    for (const { id, pack, mustCompress } of this.#sortedCandidates()) {
      const beyondLimit = this.#statistics.repackBytes + sizeOf(pack) >= limitBytes;
      const insisted = pack.contents !== 'data' || mustCompress || sizeOf(pack) < this.#targetBytes;
      const enough = !insisted && this.#statistics.remainingUnusedBytes < unusedLimitBytes;
      if (beyondLimit || enough) {
        this.#statistics.keep();
      } else {
        this.#repack.push(id);
        this.#statistics.repack(pack);
      }
    }
  }

  #sortedCandidates(): readonly Candidate[] {
    const worthwhile = this.#small.length >= fewestSmallPacks;
    if (!worthwhile) for (const _ of this.#small) this.#statistics.keep();
    const candidates = [...this.#candidates, ...(worthwhile ? this.#small : [])];
    return candidates.sort((a, b) => this.#rank(a) - this.#rank(b) || byUnused(a.pack, b.pack));
  }

  /** Trees first, then packs that are too small. */
  #rank({ pack }: Candidate): number {
    if (pack.contents !== 'data') return 0;
    return sizeOf(pack) < this.#targetBytes ? 1 : 2;
  }
}

/** The largest unused part first. */
function byUnused(a: PackAccount, b: PackAccount): number {
  return b.unusedBytes / sizeOf(b) - a.unusedBytes / sizeOf(a);
}

function sizeOf({ usedBytes, unusedBytes }: PackAccount): number {
  return usedBytes + unusedBytes;
}

/** Four fifths of a size that 97 of a hundred packs have at least. */
function usualBytes(packs: ReadonlyMap<FileId, PackAccount>): number {
  const sizes = [...packs.values()].map(sizeOf).sort((a, b) => a - b);
  const low = sizes[Math.floor((sizes.length * 3) / 100)];
  return low === undefined ? 0 : Math.floor((Math.max(minPackBytes, low) * 4) / 5);
}

function unusedLimit(limit: UnusedLimit, usedBytes: number): number {
  if (limit.kind === 'unlimited') return Infinity;
  if (limit.kind === 'bytes') return limit.bytes;
  return Math.floor((limit.percent / (100 - limit.percent)) * usedBytes);
}

function wrongSize(id: FileId, impliedBytes: number, sizeBytes: number): HoldfastError {
  return new HoldfastError(
    'damaged',
    `pack ${id} has ${sizeBytes} bytes where its index implies ${impliedBytes}: nothing was pruned`,
  );
}

function missingPacks(ids: readonly FileId[]): HoldfastError {
  const shown = ids.slice(0, 10).join(', ');
  const others = ids.length > 10 ? ` and ${ids.length - 10} others` : '';
  return new HoldfastError('damaged', `packs that snapshots need are missing: ${shown}${others}: nothing was pruned`);
}
