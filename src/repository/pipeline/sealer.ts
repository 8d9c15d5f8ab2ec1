import { hash as digest } from 'node:crypto';
import { parseBlobId } from '../../bytes/ids.ts';
import { release } from '../../bytes/release.ts';
import { compressTransient } from '../../compression/zstd.ts';
import { open, openTransient, sealedLength, sealInto } from '../../crypto/seal.ts';
import { HoldfastError } from '../../errors/error.ts';
import { openBlob, verifyBlob, verifyOpened } from '../blob.ts';
import type { BlobType } from '../index.ts';
import { BlobTable } from '../index/table.ts';
import { headerEntryBytes, type PackedBlob } from '../pack.ts';
import type { ClaimedBlob } from '../index/shared-index.ts';
import type { Outbox } from './outbox.ts';
import type { CarryRequest, StoredBytes, WorkerSetUp } from './protocol.ts';

/** Sums up what became of one content's blobs. */
export class Tally implements StoredBytes {
  readonly ids: string[] = [];
  sizeBytes = 0;
  newBlobs = 0;
  newBytes = 0;
  storedBytes = 0;

  note(id: string, plainLength: number): void {
    this.ids.push(id);
    this.sizeBytes += plainLength;
  }
}

/** In a worker: turns plaintext into sealed blobs, unless somebody stored or claimed them. */
export class Sealer {
  readonly #setUp: WorkerSetUp;
  readonly #table: BlobTable;
  readonly #outbox: Outbox;

  constructor(setUp: WorkerSetUp, outbox: Outbox) {
    this.#setUp = setUp;
    this.#table = new BlobTable(setUp.table);
    this.#outbox = outbox;
  }

  add(tally: Tally, type: BlobType, plaintext: Uint8Array, store: 'new' | 'always' = 'new'): void {
    this.#store(tally, { type, id: digest('sha256', plaintext), store }, plaintext);
  }

  /** A blob as it stands in a pack: 'damaged' when it isn't what its ID says. */
  carry(tally: Tally, { key, blob, store }: Carried, sealed: Uint8Array): void {
    const { type, id, plainLength } = blob;
    if (store === 'new' && this.#table.findOne(type, id) >= 0) tally.note(id, plainLength);
    else if (this.#isKept(blob)) this.#reseal(tally, { key, blob, store }, sealed);
    else this.#store(tally, { type, id, store }, openBlob(key, blob, sealed));
  }

  /** What this writer would only compress again in the same way stays as it is. */
  #isKept({ type, compressed }: PackedBlob): boolean {
    return compressed && this.#setUp.compression[type] === 'auto';
  }

  #reseal(tally: Tally, { key, blob, store }: Carried, sealed: Uint8Array): void {
    const { type, id, plainLength } = blob;
    const payload = open(key, sealed);
    verifyOpened(blob, payload);
    const slot = this.#claim(tally, { type, id, store }, plainLength);
    if (slot < 0) return;
    const { target, length } = this.#sealInto(payload);
    if (this.#setUp.extraVerify === 'verified') {
      verified(id, () => assertSame(openTransient(this.#setUp.key, target), payload));
    }
    release(payload);
    this.#commit(tally, { slot, type, length, plainLength, compressed: true });
  }

  #store(tally: Tally, wanted: Wanted, plaintext: Uint8Array): void {
    const { type, id } = wanted;
    const slot = this.#claim(tally, wanted, plaintext.length);
    if (slot < 0) return;
    const mode = this.#setUp.compression[type];
    const compressed = mode !== 'off';
    const { target, length } = this.#sealInto(compressed ? compressTransient(plaintext, mode) : plaintext);
    const blob = { slot, type, length, plainLength: plaintext.length, compressed };
    if (this.#setUp.extraVerify === 'verified') {
      verified(id, () => verifyBlob(this.#setUp.key, { ...blob, id: parseBlobId(id), offset: 0 }, target));
    }
    this.#commit(tally, blob);
  }

  /** -1 when somebody stored or claimed it. */
  #claim(tally: Tally, { type, id, store }: Wanted, plainLength: number): number {
    tally.note(id, plainLength);
    return store === 'always' ? this.#table.claimCopy(type, id) : this.#table.claim(type, id);
  }

  #sealInto(payload: Uint8Array): { readonly target: Uint8Array; readonly length: number } {
    const length = sealedLength(payload.length);
    const target = this.#outbox.reserve(length);
    sealInto(this.#setUp.key, payload, target, 0);
    return { target, length };
  }

  #commit(tally: Tally, blob: ClaimedBlob): void {
    this.#outbox.commit(blob);
    tally.newBlobs += 1;
    tally.newBytes += blob.plainLength;
    tally.storedBytes += blob.length + headerEntryBytes(blob.compressed);
  }
}

type Carried = Pick<CarryRequest, 'key' | 'store'> & { readonly blob: PackedBlob };

interface Wanted {
  readonly type: BlobType;
  readonly id: string;
  readonly store: 'new' | 'always';
}

/** Memory and processors err: what leaves this machine was opened again and holds what its ID says. */
function verified(id: string, verify: () => void): void {
  try {
    verify();
  } catch (cause) {
    const what = `the new blob ${id.slice(0, 8)} does not open to what was sealed: this machine computes wrongly`;
    throw new HoldfastError('internal', what, { cause });
  }
}

function assertSame(opened: Uint8Array, payload: Uint8Array): void {
  if (Buffer.compare(opened, payload) !== 0) throw new HoldfastError('damaged', 'it holds other bytes');
}
