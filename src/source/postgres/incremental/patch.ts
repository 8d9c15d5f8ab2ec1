import { crc32c, crc32cJoined } from '../../../bytes/crc32c.ts';
import type { BlobId } from '../../../bytes/ids.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { Content, StoredContent } from '../../../repository/content.ts';
import { blockBytes, type Increment } from './increment.ts';
import { planChunks } from './layout.ts';

/** A segment of a relation as the parent snapshot holds it. */
export interface Before {
  readonly sizeBytes: number;
  readonly crc32c: number;
  readonly ids: readonly BlobId[];
  readonly chunkBytes: number;
  readonly chunk: (id: BlobId) => Promise<Uint8Array>;
}

export interface Patched {
  readonly crc32c: number;
  readonly sizeBytes: number;
  readonly stored: StoredContent;
}

/**
 * Puts what changed of a segment into what the parent holds of it: chunks in which nothing changed stay the parent's, and
 * are not read; the others are read, patched and stored. The CRC of the whole comes by what changed, since a CRC is
 * linear: those of the old and the new chunk differ by as much as the whole does, moved by what follows.
 */
export async function patch(
  before: Before,
  increment: Increment,
  store: (content: Content) => Promise<StoredContent>,
): Promise<Patched> {
  const patching = new Patching(before, increment);
  const { changed, count } = planChunks(before, increment);
  const cut = { pagesBytes: before.chunkBytes };
  const stored = await store({ kind: 'stream', stream: patching.chunks(changed), cut });
  if (stored.ids.length !== changed.length)
    throw new HoldfastError('internal', `${changed.length} chunks were stored as ${stored.ids.length}`);
  const fresh = new Map(changed.map((chunk, at) => [chunk, stored.ids[at]]));
  const ids = Array.from({ length: count }, (_, chunk) => fresh.get(chunk) ?? before.ids[chunk]);
  if (!ids.every((id) => id !== undefined))
    throw new HoldfastError('internal', 'a chunk of a segment is neither old nor new');
  const sizeBytes = increment.blockCount * blockBytes;
  return { crc32c: await patching.crc32c(ids), sizeBytes, stored: { ...stored, ids, sizeBytes } };
}

class Patching {
  readonly #before: Before;
  readonly #increment: Increment;
  readonly #newBytes: number;
  /** undefined: it has to be read as a whole. */
  #crc: number | undefined;

  constructor(before: Before, increment: Increment) {
    this.#before = before;
    this.#increment = increment;
    this.#newBytes = increment.blockCount * blockBytes;
    this.#crc = crcExtended(before, this.#newBytes);
  }

  async *chunks(changed: readonly number[]): AsyncGenerator<Uint8Array> {
    const pages = this.#increment.pages[Symbol.asyncIterator]();
    let next = 0;
    for (const chunk of changed) {
      const from = chunk * this.#before.chunkBytes;
      const length = Math.min(this.#before.chunkBytes, this.#newBytes - from);
      const old = await this.#old(chunk, length);
      const bytes = this.#kept(old, from);
      for (; (this.#increment.blocks[next] ?? Infinity) * blockBytes < from + length; next++) {
        const page = await pages.next();
        if (page.done === true) throw new HoldfastError('internal', 'a block of a segment is missing');
        bytes.set(page.value, (this.#increment.blocks[next] ?? 0) * blockBytes - from);
      }
      this.#note(old, bytes, from);
      yield bytes;
    }
    await pages.next(); // where the end is looked for
  }

  /** What was not noted chunk by chunk is read. */
  async crc32c(ids: readonly BlobId[]): Promise<number> {
    if (this.#crc !== undefined) return this.#crc;
    let crc = 0;
    for (const id of ids) crc = crc32c(crc, await this.#before.chunk(id));
    return crc;
  }

  /** Of the parent, with zeros where it was shorter. */
  async #old(chunk: number, length: number): Promise<Uint8Array> {
    const { ids, chunk: read } = this.#before;
    const old = new Uint8Array(length);
    const id = ids[chunk];
    if (id !== undefined) old.set((await read(id)).subarray(0, length));
    return old;
  }

  /** Without what was cut off meanwhile. */
  #kept(old: Uint8Array, from: number): Uint8Array {
    const kept = Math.max(0, this.#increment.truncatedTo * blockBytes - from);
    const bytes = new Uint8Array(old.length);
    bytes.set(old.subarray(0, kept));
    return bytes;
  }

  #note(old: Uint8Array, bytes: Uint8Array, from: number): void {
    if (this.#crc === undefined) return;
    const difference = (crc32c(0, old) ^ crc32c(0, bytes)) >>> 0;
    this.#crc = (this.#crc ^ crc32cJoined(difference, 0, this.#newBytes - from - bytes.length)) >>> 0;
  }
}

const allOnes = 0xffff_ffff;

/** That of the parent's bytes with zeros behind, up to a length; undefined for a shorter one, which can't be told. */
function crcExtended({ crc32c: crc, sizeBytes }: Before, newBytes: number): number | undefined {
  const more = newBytes - sizeBytes;
  if (more < 0) return undefined;
  const zeros = (crc32cJoined(allOnes, 0, more) ^ allOnes) >>> 0;
  return more === 0 ? crc : crc32cJoined(crc, zeros, more);
}
