import type { BlobId } from '../bytes/ids.ts';
import type { BlobType } from '../repository/index.ts';
import type { TreeReader } from './walk.ts';

/** 16 MiB at most. */
const mostTrees = 256;
const mostBytes = 64 * 1024;

/** Reads small trees once as long as they are met again soon: of a folder that stands in many places, for one. */
export class RecentTrees implements TreeReader {
  readonly #reader: TreeReader;
  /** The one met longest ago first. */
  readonly #recent = new Map<BlobId, Uint8Array>();

  constructor(reader: TreeReader) {
    this.#reader = reader;
  }

  async readBlob(type: BlobType, id: BlobId): Promise<Uint8Array> {
    const known = this.#recent.get(id);
    const bytes = known ?? (await this.#reader.readBlob(type, id));
    if (type === 'tree' && bytes.length <= mostBytes) this.#keep(id, bytes);
    return bytes;
  }

  #keep(id: BlobId, bytes: Uint8Array): void {
    this.#recent.delete(id);
    this.#recent.set(id, bytes);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > mostTrees && oldest !== undefined) this.#recent.delete(oldest);
  }
}
