import type { RepositoryConfig } from '../repository.ts';
import type { Account, PackAccount, Tally } from './account.ts';
import type { PruneStatistics } from './plan.ts';

/** Adds up what a plan does, in the way of `restic prune --json`. */
export class Statistics {
  readonly #account: Account;
  readonly #remove: Tally = { blobs: 0, bytes: 0 };
  readonly #repack: Tally = { blobs: 0, bytes: 0 };
  readonly #repackRemove: Tally = { blobs: 0, bytes: 0 };
  readonly #packs = { used: 0, unused: 0, partlyUsed: 0, unreferenced: 0, keep: 0, repack: 0, remove: 0 };
  #unreferencedBytes = 0;
  #uncompressedBytes = 0;

  constructor(account: Account) {
    this.#account = account;
  }

  get usedBytes(): number {
    return this.#account.used.bytes;
  }

  get repackBytes(): number {
    return this.#repack.bytes;
  }

  /** Unused bytes that stay when everything decided so far is done. */
  get remainingUnusedBytes(): number {
    const { duplicate, unused } = this.#account;
    return duplicate.bytes + unused.bytes - this.#remove.bytes - this.#repackRemove.bytes;
  }

  unreferenced(sizeBytes: number): void {
    this.#packs.unreferenced += 1;
    this.#unreferencedBytes += sizeBytes;
  }

  /** A pack that is there and in the index. */
  pack(pack: PackAccount): void {
    if (pack.usedBlobs === 0) this.#packs.unused += 1;
    else if (pack.unusedBlobs === 0) this.#packs.used += 1;
    else this.#packs.partlyUsed += 1;
    if (pack.uncompressed) this.#uncompressedBytes += pack.usedBytes + pack.unusedBytes;
    if (pack.usedBlobs === 0) this.#packs.remove += 1;
  }

  keep(): void {
    this.#packs.keep += 1;
  }

  /** Nothing in it is used: what it holds goes. */
  remove({ unusedBlobs, unusedBytes }: PackAccount): void {
    add(this.#remove, unusedBlobs, unusedBytes);
  }

  repack({ usedBlobs, unusedBlobs, usedBytes, unusedBytes, uncompressed }: PackAccount): void {
    this.#packs.repack += 1;
    add(this.#repack, usedBlobs + unusedBlobs, usedBytes + unusedBytes);
    add(this.#repackRemove, unusedBlobs, unusedBytes);
    if (uncompressed) this.#uncompressedBytes -= usedBytes + unusedBytes;
  }

  totals(version: RepositoryConfig['version']): PruneStatistics {
    const { used, duplicate, unused } = this.#account;
    const packs = this.#packs;
    return {
      blobs: this.#blobTotals(),
      bytes: {
        used: used.bytes,
        duplicate: duplicate.bytes,
        unused: unused.bytes,
        unreferenced: this.#unreferencedBytes,
        uncompressed: version < 2 ? 0 : this.#uncompressedBytes,
        repack: this.#repack.bytes,
        repackRemove: this.#repackRemove.bytes,
        remove: this.#remove.bytes,
        ...this.#byteTotals(),
      },
      packs: {
        ...packs,
        total: packs.used + packs.partlyUsed + packs.unused + packs.unreferenced,
        removeTotal: packs.unreferenced + packs.remove,
      },
    };
  }

  #blobTotals(): PruneStatistics['blobs'] {
    const { used, duplicate, unused } = this.#account;
    const total = used.blobs + unused.blobs + duplicate.blobs;
    const removeTotal = this.#remove.blobs + this.#repackRemove.blobs;
    return {
      used: used.blobs,
      duplicate: duplicate.blobs,
      unused: unused.blobs,
      total,
      repack: this.#repack.blobs,
      repackRemove: this.#repackRemove.blobs,
      remove: this.#remove.blobs,
      removeTotal,
      remaining: total - removeTotal,
    };
  }

  #byteTotals(): Pick<PruneStatistics['bytes'], 'total' | 'removeTotal' | 'remaining' | 'remainingUnused'> {
    const { used, duplicate, unused } = this.#account;
    const total = used.bytes + duplicate.bytes + unused.bytes + this.#unreferencedBytes;
    const removeTotal = this.#remove.bytes + this.#repackRemove.bytes + this.#unreferencedBytes;
    return { total, removeTotal, remaining: total - removeTotal, remainingUnused: this.remainingUnusedBytes };
  }
}

function add(tally: Tally, blobs: number, bytes: number): void {
  tally.blobs += blobs;
  tally.bytes += bytes;
}
