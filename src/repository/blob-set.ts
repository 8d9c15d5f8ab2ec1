import { IdSet } from '../bytes/id-set.ts';
import type { BlobId } from '../bytes/ids.ts';
import type { BlobType } from './index.ts';

/** Blobs, such as those that snapshots need. */
export interface Blobs {
  readonly size: number;
  has(type: BlobType, id: BlobId): boolean;
}

/** In about 64 bytes a blob. */
export class BlobSet implements Blobs {
  readonly #ids = { data: new IdSet(), tree: new IdSet() };

  get size(): number {
    return this.#ids.data.size + this.#ids.tree.size;
  }

  has(type: BlobType, id: BlobId): boolean {
    return this.#ids[type].has(id);
  }

  /** Whether it is new. */
  add(type: BlobType, id: BlobId): boolean {
    return this.#ids[type].add(id);
  }
}
