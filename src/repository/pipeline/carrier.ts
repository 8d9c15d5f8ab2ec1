import { release } from '../../bytes/release.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { FileId } from '../../bytes/ids.ts';
import type { ErrorCode } from '../../errors/codes.ts';
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
import { slicesOf, spans, spansAtOnce } from './span-fetcher.ts';

/** What concerns the blob alone that can't be carried. */
export const ofOneBlob: readonly ErrorCode[] = ['damaged', 'blob-missing', 'storage-not-found', 'storage-failed'];

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
  readonly #fetching = limiter(spansAtOnce);
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
    const lost = await Promise.all(
      path === undefined
        ? neighbours(items, spans).map(async (span) => this.#carrySpan(key, span, store))
        : parcels(items).map(async (parcel) => this.#carryParcel(parcel, { kind: 'path', path }, store)),
    );
    return lost.flat();
  }

  async #carrySpan(key: string, span: Group<Item>, store: PlainBlob['store']): Promise<readonly PackedBlob[]> {
    const { signal } = this.#engine;
    const { offset, end, items } = span;
    const handedOver = await this.#fetching(async () => {
      const bytes = await this.#fetch(key, offset, end - offset);
      if (bytes === undefined) return [Promise.resolve(items.map(({ blob }) => blob))];
      const carried: Promise<readonly PackedBlob[]>[] = [];
      for (const parcel of parcels(items)) {
        await this.#engine.room();
        const lost = this.#carryParcel(parcel, slicesOf(parcel, { bytes, offset }), store);
        lost.catch(() => undefined); // heard once all are handed over
        carried.push(lost);
      }
      release(bytes);
      return carried;
    }, signal);
    return (await Promise.all(handedOver)).flat();
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

  async #carryParcel(
    parcel: readonly Item[],
    pack: PackBytes,
    store: PlainBlob['store'],
  ): Promise<readonly PackedBlob[]> {
    const { key } = sessionOf(this.#from);
    const blobs = parcel.map(({ blob }) => blob);
    const reply = await this.#engine.store({ kind: 'carry', key, pack, blobs, store });
    return this.#lostOf(blobs, [...fromColumns(reply.contents)]);
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
