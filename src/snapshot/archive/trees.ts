import type { BlobId } from '../../bytes/ids.ts';
import { blobIdFor } from '../../crypto/id.ts';
import { hasCode, type HoldfastError } from '../../errors/error.ts';
import type { StoredBlob } from '../../repository/repository.ts';
import type { ArchiveInput } from '../archive.ts';
import { ofOneTree } from '../walk.ts';

/** Reads trees of the parent snapshot and stores new ones. */
export class Trees {
  readonly #repository: ArchiveInput['repository'];
  readonly #writer: ArchiveInput['writer'];
  readonly #again = new Set<BlobId>();
  #lost = 0;

  constructor({ repository, writer }: ArchiveInput) {
    this.#repository = repository;
    this.#writer = writer;
  }

  /** undefined, and why it is so, when it can't be read. */
  async load(tree: BlobId, onLost: (reason: HoldfastError) => void): Promise<Uint8Array | undefined> {
    try {
      return await this.#repository.readBlob('tree', tree);
    } catch (error) {
      if (!hasCode(error, ...ofOneTree)) throw error;
      this.#lost += 1;
      onLost(error);
      return undefined;
    }
  }

  /** Where trees have been lost, one that the index has is believed only when it can be read; else it is stored anew. */
  async store(json: Uint8Array): Promise<StoredBlob> {
    if (this.#lost === 0) return await this.#writer.storeTree(json);
    const id = blobIdFor(json);
    if (this.#again.has(id) || !this.#repository.index.has('tree', id) || (await this.#isReadable(id))) {
      return await this.#writer.storeTree(json);
    }
    this.#again.add(id);
    return await this.#writer.storeBlob('tree', json, { evenIfKnown: true });
  }

  async #isReadable(tree: BlobId): Promise<boolean> {
    return (await this.load(tree, () => undefined)) !== undefined;
  }
}
