import { randomInt } from 'node:crypto';
import type { BlobType } from '../index.ts';
import type { BlockPool } from './blocks.ts';
import { OpenPack } from './open-pack.ts';
import type { ClaimedBlob } from '../index/shared-index.ts';

/**
 * Collects the sealed blobs of one type into packs. Each blob goes into one of two open packs at random, so that who
 * watches the storage doesn't learn where a file was cut; a blob as large as a pack gets its own.
 */
export class Packer {
  readonly #type: BlobType;
  readonly #targetBytes: number;
  readonly #pool: BlockPool;
  readonly #onFull: (pack: OpenPack) => void;
  readonly #open: (OpenPack | undefined)[] = [undefined, undefined];

  constructor(type: BlobType, options: { targetBytes: number; pool: BlockPool; onFull: (pack: OpenPack) => void }) {
    this.#type = type;
    this.#targetBytes = options.targetBytes;
    this.#pool = options.pool;
    this.#onFull = options.onFull;
  }

  add(blob: ClaimedBlob, sealed: Uint8Array): void {
    const own = sealed.length >= this.#targetBytes;
    const number = own ? -1 : randomInt(2);
    const pack = this.#open[number] ?? new OpenPack(this.#type, this.#pool);
    pack.add(blob, sealed);
    const full = own || pack.isFull(this.#targetBytes);
    if (full) this.#onFull(pack);
    if (!own) this.#open[number] = full ? undefined : pack;
  }

  /** Closes what is open: as one pack where it fits, lest the sizes of a few blobs show. */
  flush(): void {
    const [first, second] = this.#open.splice(0, 2, undefined, undefined);
    if (first && second && first.sizeBytes + second.sizeBytes < this.#targetBytes) {
      first.absorb(second);
      this.#onFull(first);
    } else {
      if (first) this.#onFull(first);
      if (second) this.#onFull(second);
    }
  }
}
