import { randomInt } from 'node:crypto';
import type { BlobType } from '../index.ts';
import { OpenPack } from './open-pack.ts';
import type { PackMemory } from './pack-bytes.ts';
import type { ClaimedBlob } from '../index/shared-index.ts';

/**
 * Collects the sealed blobs of one type into packs. Each blob goes into one of two open packs at random, so that who
 * watches the storage doesn't learn where a file was cut; a blob as large as a pack gets its own.
 */
export class Packer {
  readonly #type: BlobType;
  readonly #targetBytes: number;
  readonly #memory: PackMemory;
  readonly #onFull: (pack: OpenPack) => void;
  readonly #open: (OpenPack | undefined)[] = [undefined, undefined];

  constructor(type: BlobType, options: { targetBytes: number; memory: PackMemory; onFull: (pack: OpenPack) => void }) {
    this.#type = type;
    this.#targetBytes = options.targetBytes;
    this.#memory = options.memory;
    this.#onFull = options.onFull;
  }

  add(blob: ClaimedBlob, sealed: Uint8Array): void {
    const own = sealed.length >= this.#targetBytes;
    const number = own ? -1 : randomInt(2);
    const pack = this.#open[number] ?? new OpenPack(this.#type, this.#memory);
    pack.add(blob, sealed);
    const full = own || pack.isFull(this.#targetBytes);
    if (full) this.#onFull(pack);
    if (!own) this.#open[number] = full ? undefined : pack;
  }

  /** Closes what is open: as one pack where it fits, lest the sizes of a few blobs show. */
  flush(): void {
    const packs = this.#takeOpen();
    const [larger, smaller] = packs.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
    const fitInOne = larger && smaller && larger.sizeBytes + smaller.sizeBytes < this.#targetBytes;
    if (fitInOne && !smaller.bytes.isStaged) {
      larger.absorb(smaller);
      this.#onFull(larger);
    } else for (const pack of packs) this.#onFull(pack);
  }

  /** Gives up what is open. */
  async discard(): Promise<void> {
    await Promise.all(this.#takeOpen().map((pack) => pack.bytes.discard()));
  }

  #takeOpen(): readonly OpenPack[] {
    return this.#open.splice(0, 2, undefined, undefined).filter((pack) => pack !== undefined);
  }
}
