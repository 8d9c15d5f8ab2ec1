import type { RepositoryKey } from '../../crypto/seal.ts';
import { HoldfastError } from '../../errors/error.ts';
import { beginWriteBack } from '../../host/sync.ts';
import { serveRequests } from '../../host/worker.ts';
import { openBlob, useBlob } from '../blob.ts';
import type { PackedBlob } from '../pack.ts';
import { neighbours } from './groups.ts';
import { makeFile } from './making.ts';
import { fromColumns } from './new-file-columns.ts';
import { writeTargets } from './placing.ts';
import type { BlobFailure, BlobToPlace, BlobTrouble, PackBytes, SetUp, Slice } from './reading-protocol.ts';
import type { ReadingReply, ReadingRequest, ReadingWork } from './reading-protocol.ts';
import { PackSlices, sealedIn } from './slices.ts';
import { reasonOf } from './source-file.ts';

/** What the entry file of the reading workers runs: reads packs, checks, opens, decompresses and writes. */
class ReadingWorker {
  readonly #key: RepositoryKey;
  readonly #writeBack: SetUp['writeBack'];
  readonly #packs = new PackSlices();

  constructor({ key, writeBack }: SetUp) {
    this.#key = key;
    this.#writeBack = writeBack;
  }

  answer(request: ReadingWork): ReadingReply {
    const reply = this.#answer(request);
    this.#packs.done(request.pack);
    return reply;
  }

  #answer(request: ReadingWork): ReadingReply {
    if (request.kind === 'read') return this.#read(request);
    if (request.kind === 'make') return this.#make(request);
    const numbered = request.blobs.map((each, number) => ({ ...each, number }));
    const failures = this.#each(request.pack, numbered, writeTargets);
    if (this.#writeBack === 'at once') for (const fd of filesOf(request.blobs)) beginWriteBack(fd);
    return { kind: 'placed', failures };
  }

  #make({ pack, files }: Extract<ReadingWork, { kind: 'make' }>): ReadingReply {
    const lost: string[] = [];
    const wanted = fromColumns(files).toArray();
    const failures = this.#each(pack, wanted, (plaintext, file) => makeFile(file, plaintext, lost));
    return { kind: 'made', failures, lost };
  }

  /** Hands each item its blob's plaintext, in the pack's order. */
  #each<Item extends NumberedBlob>(
    pack: PackBytes,
    items: readonly Item[],
    write: (plaintext: Uint8Array, item: Item) => void,
  ): readonly BlobFailure[] {
    const failures: BlobFailure[] = [];
    for (const group of neighbours(items)) {
      const slice = attempt('read', () => this.#packs.slice(pack, group.offset, group.end));
      for (const item of group.items) {
        const failure = 'code' in slice ? slice : this.#open(slice, item, write);
        if (failure) failures.push({ ...failure, number: item.number });
      }
    }
    return failures;
  }

  #read({ pack, blob }: Extract<ReadingWork, { kind: 'read' }>): ReadingReply {
    const end = blob.offset + blob.length;
    const bytes = attempt('read', () =>
      openBlob(this.#key, blob, sealedIn(this.#packs.slice(pack, blob.offset, end), blob)),
    );
    return 'code' in bytes ? { kind: 'failed', failure: bytes } : { kind: 'read', bytes };
  }

  #open<Item extends NumberedBlob>(
    slice: Slice,
    item: Item,
    write: (plaintext: Uint8Array, item: Item) => void,
  ): BlobTrouble | undefined {
    const use = (plaintext: Uint8Array): BlobTrouble | typeof done =>
      attempt('write', () => {
        write(plaintext, item);
        return done;
      });
    const result = attempt('read', () => useBlob(this.#key, item.blob, sealedIn(slice, item.blob), use));
    return 'code' in result ? result : undefined;
  }
}

function filesOf(blobs: readonly BlobToPlace[]): ReadonlySet<number> {
  return new Set(blobs.flatMap(({ targets }) => targets.map(({ fd }) => fd)));
}

interface NumberedBlob {
  readonly number: number;
  readonly blob: PackedBlob;
}

const done = {};

/** Whatever goes wrong with a blob concerns that blob; defects end the worker. */
function attempt<Result extends object>(during: BlobTrouble['during'], step: () => Result): Result | BlobTrouble {
  try {
    return step();
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'damaged') {
      return { during, code: 'damaged', message: error.message };
    }
    if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error;
    const missing = error.code === 'ENOENT';
    const full = error.code === 'ENOSPC' || error.code === 'EDQUOT';
    const code = missing ? 'storage-not-found' : full ? 'storage-full' : 'storage-failed';
    return { during, code, message: reasonOf(error) };
  }
}

export function serveReading(): void {
  let worker: ReadingWorker | undefined;
  serveRequests<ReadingRequest, ReadingReply>((request) => {
    if (request.kind === 'set-up') {
      worker = new ReadingWorker(request);
      return undefined;
    }
    if (!worker) throw new HoldfastError('internal', 'a worker was asked before it was set up');
    return worker.answer(request);
  });
}
