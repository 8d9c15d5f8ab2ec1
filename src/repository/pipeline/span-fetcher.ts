import { HoldfastError } from '../../errors/error.ts';
import { limiter } from '../../flow/limiter.ts';
import type { GetOptions, Storage } from '../../storage/storage.ts';
import { neighbours, type HasBlob } from './groups.ts';
import type { BlobTrouble, PackBytes, Slice } from './reading-protocol.ts';

/**
 * Where packs are no files, their blobs are fetched in one request as far as they stand near to each other: a whole
 * pack of the usual size, which may pass its 16 MiB by one blob.
 */
export const spans = { gapBytes: 256 * 1024, groupBytes: 24 * 2 ** 20 };

/** Spans in memory at a time: enough to cover a network's delay. */
export const spansAtOnce = 3;

/** Fetches long parts of packs, few at a time. */
export class SpanFetcher {
  readonly #storage: Storage;
  readonly #signal: AbortSignal;
  readonly #onFree: () => void;
  readonly #limited = limiter(spansAtOnce);
  #wanted = 0;

  /** `onFree` is called when a span is out of the memory. */
  constructor(storage: Storage, signal: AbortSignal, onFree: () => void) {
    this.#storage = storage;
    this.#signal = signal;
    this.#onFree = onFree;
  }

  /** Another span would be fetched at once. */
  get isIdle(): boolean {
    return this.#wanted < spansAtOnce;
  }

  /** What `use` fetches is out of the memory when it ends. */
  async use<T>(use: () => Promise<T>): Promise<T> {
    this.#wanted += 1;
    try {
      return await this.#limited(use, this.#signal);
    } finally {
      this.#wanted -= 1;
      this.#onFree();
    }
  }

  async get(key: string, { offset, length }: NonNullable<GetOptions['range']>): Promise<Fetched | BlobTrouble> {
    try {
      return { bytes: await this.#storage.get(key, { range: { offset, length }, signal: this.#signal }), offset };
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof HoldfastError)) throw error;
      return { during: 'read', code: error.code, message: error.message };
    }
  }
}

interface Fetched extends Pick<Slice, 'offset'> {
  readonly bytes: Uint8Array;
}

/** The parts of a span that these blobs need. */
export function slicesOf(items: readonly HasBlob[], { bytes, offset: at }: Fetched): PackBytes {
  // Own copies: they are handed over, and a view would be with all the memory around it.
  const slices = neighbours(items).map(({ offset, end }) => ({
    bytes: new Uint8Array(bytes.subarray(offset - at, end - at)),
    offset,
  }));
  return { kind: 'slices', slices: [...slices] };
}
