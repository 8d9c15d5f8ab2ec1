import { HoldfastError } from '../../errors/error.ts';
import type { FileId } from '../../bytes/ids.ts';
import { limiter } from '../../flow/limiter.ts';
import type { BlobType } from '../index.ts';
import { keyOf } from '../layout.ts';
import type { PackedBlob } from '../pack.ts';
import type { Repository } from '../repository.ts';
import { sessionOf } from '../session.ts';
import type { StoringEngine } from './engine.ts';
import { neighbours, parcels, type Group } from './groups.ts';
import { fromColumns, type ContentOutcome } from './outcomes.ts';
import type { PlainBlob, StoredBytes } from './protocol.ts';
import type { PackBytes } from './reading-protocol.ts';

/** Where a pack is no file, its blobs are fetched in one request as far as they stand near to each other. */
const spans = { gapBytes: 256 * 1024, groupBytes: 16 * 2 ** 20 };
const fetchesUnderWay = 4;

interface Item {
  readonly blob: PackedBlob;
}

export interface CarryWork {
  readonly pack: FileId;
  readonly blobs: readonly PackedBlob[];
  readonly store: PlainBlob['store'];
}

/** Has blobs of one repository's packs sealed anew by the workers of a writer. */
export class Carrier {
  readonly #engine: StoringEngine;
  readonly #from: Repository;
  readonly #fetching = limiter(fetchesUnderWay);
  readonly #onStored: (type: BlobType, stored: StoredBytes) => void;

  constructor(engine: StoringEngine, from: Repository, onStored: (type: BlobType, stored: StoredBytes) => void) {
    this.#engine = engine;
    this.#from = from;
    this.#onStored = onStored;
  }

  /** Resolves, when all that could be read is handed on, with the blobs that could not. */
  async carry({ pack, blobs, store }: CarryWork): Promise<readonly PackedBlob[]> {
    const items = blobs.map((blob) => ({ blob }));
    const key = keyOf('data', pack);
    const path = sessionOf(this.#from).storage.capabilities.localPath?.(key);
    if (path !== undefined) return this.#carryParcels(items, () => ({ kind: 'path', path }), store);
    const lost = await Promise.all(neighbours(items, spans).map(async (span) => this.#carrySpan(key, span, store)));
    return lost.flat();
  }

  async #carrySpan(key: string, span: Group<Item>, store: PlainBlob['store']): Promise<readonly PackedBlob[]> {
    const { signal } = this.#engine;
    const { offset, end, items } = span;
    return this.#fetching(async () => {
      const bytes = await this.#fetch(key, offset, end - offset);
      if (bytes === undefined) return items.map(({ blob }) => blob);
      return this.#carryParcels(items, (parcel) => slicesOf(parcel, bytes, offset), store);
    }, signal);
  }

  /** undefined when the storage doesn't give it: another pack may. */
  async #fetch(key: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    const { signal } = this.#engine;
    try {
      return await sessionOf(this.#from).storage.get(key, { range: { offset, length }, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof HoldfastError) return undefined;
      throw error;
    }
  }

  async #carryParcels(
    items: readonly Item[],
    bytesOf: (parcel: readonly Item[]) => PackBytes,
    store: PlainBlob['store'],
  ): Promise<readonly PackedBlob[]> {
    const { key } = sessionOf(this.#from);
    const lost = await Promise.all(
      parcels(items).map(async (parcel) => {
        const blobs = parcel.map(({ blob }) => blob);
        const reply = await this.#engine.store({ kind: 'carry', key, pack: bytesOf(parcel), blobs, store });
        return this.#lostOf(blobs, [...fromColumns(reply.contents)]);
      }),
    );
    return lost.flat();
  }

  #lostOf(blobs: readonly PackedBlob[], outcomes: readonly ContentOutcome[]): readonly PackedBlob[] {
    return blobs.filter((blob, number) => {
      const outcome = outcomes[number];
      if (outcome?.kind !== 'stored') return true;
      this.#onStored(blob.type, outcome.stored);
      return false;
    });
  }
}

function slicesOf(parcel: readonly Item[], bytes: Uint8Array, at: number): PackBytes {
  // Own copies: they are handed over, and a view would be with all the memory around it.
  const slices = neighbours(parcel).map(({ offset, end }) => ({
    bytes: new Uint8Array(bytes.subarray(offset - at, end - at)),
    offset,
  }));
  return { kind: 'slices', slices: [...slices] };
}
