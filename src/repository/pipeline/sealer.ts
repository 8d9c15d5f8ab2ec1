import { hash as digest } from 'node:crypto';
import { parseBlobId } from '../../bytes/ids.ts';
import { compressTransient } from '../../compression/zstd.ts';
import { sealedLength, sealInto } from '../../crypto/seal.ts';
import { HoldfastError } from '../../errors/error.ts';
import { verifyBlob } from '../blob.ts';
import type { BlobType } from '../index.ts';
import { BlobTable } from '../index/table.ts';
import { headerEntryBytes } from '../pack.ts';
import type { ClaimedBlob } from '../index/shared-index.ts';
import type { Outbox } from './outbox.ts';
import type { StoredBytes, WorkerSetUp } from './protocol.ts';

/** Sums up what became of one content's blobs. */
export class Tally implements StoredBytes {
  readonly ids: string[] = [];
  sizeBytes = 0;
  newBlobs = 0;
  newBytes = 0;
  storedBytes = 0;
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
    const id = digest('sha256', plaintext);
    tally.ids.push(id);
    tally.sizeBytes += plaintext.length;
    const slot = store === 'always' ? this.#table.claimCopy(type, id) : this.#table.claim(type, id);
    if (slot < 0) return;
    const { length, compressed } = this.#seal(slot, type, plaintext, id);
    tally.newBlobs += 1;
    tally.newBytes += plaintext.length;
    tally.storedBytes += length + headerEntryBytes(compressed);
  }

  #seal(slot: number, type: BlobType, plaintext: Uint8Array, id: string): ClaimedBlob {
    const mode = this.#setUp.compression[type];
    const compressed = mode !== 'off';
    const payload = compressed ? compressTransient(plaintext, mode) : plaintext;
    const length = sealedLength(payload.length);
    const target = this.#outbox.reserve(length);
    const blob = { slot, type, length, plainLength: plaintext.length, compressed };
    sealInto(this.#setUp.key, payload, target, 0);
    if (this.#setUp.extraVerify === 'verified') this.#verify(target, blob, id);
    this.#outbox.commit(blob);
    return blob;
  }

  /** Memory and processors err: what leaves this machine was opened again and holds what its ID says. */
  #verify(sealed: Uint8Array, blob: ClaimedBlob, id: string): void {
    try {
      verifyBlob(this.#setUp.key, { ...blob, id: parseBlobId(id), offset: 0 }, sealed);
    } catch (cause) {
      const what = `the new blob ${id.slice(0, 8)} does not open to what was sealed: this machine computes wrongly`;
      throw new HoldfastError('internal', what, { cause });
    }
  }
}
