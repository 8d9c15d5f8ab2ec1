import { availableParallelism } from 'node:os';
import type { FileId } from '../../bytes/ids.ts';
import type { RepositoryKey } from '../../crypto/seal.ts';
import { HoldfastError } from '../../errors/error.ts';
import { limiter } from '../../flow/limiter.ts';
import type { Storage } from '../../storage/storage.ts';
import type { BlobIndex, BlobLocation } from '../index.ts';
import { keyOf, shortName } from '../layout.ts';
import type { PackedBlob } from '../pack.ts';
import type { BlobReader, MadeFiles, NewFile, Placement, PlacementFailure, ReaderOptions } from '../repository.ts';
import { Crew } from './crew.ts';
import { abortError } from './abort-error.ts';
import { neighbours, parcels, type Group } from './groups.ts';
import { toColumns } from './new-file-columns.ts';
import type {
  BlobFailure,
  BlobToPlace,
  BlobTrouble,
  PackBytes,
  ReadingReply,
  ReadingRequest,
} from './reading-protocol.ts';
import type { ReadingWork, Slice } from './reading-protocol.ts';

export interface ReaderDeps {
  readonly storage: Storage;
  readonly key: RepositoryKey;
  readonly index: BlobIndex;
}

const entry = new URL(import.meta.url.endsWith('.ts') ? 'read-worker.ts' : 'read-worker.js', import.meta.url);
const maxWorkers = 8;
/** Requests for each worker that may wait before `ready` does. */
const waitingPerWorker = 2;
/** Ranges that are fetched at a time where packs are no files: enough to cover a network's delay. */
const fetchesUnderWay = 6;

/** A reader with workers of its own. */
export async function openReader(deps: ReaderDeps, options: ReaderOptions): Promise<BlobReader> {
  options.signal.throwIfAborted();
  return new PipelineReader(deps, options);
}

class PipelineReader implements BlobReader {
  readonly #deps: ReaderDeps;
  readonly #crew: Crew<ReadingRequest, ReadingReply>;
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  readonly #fetching = limiter(fetchesUnderWay);
  #fetches = 0;
  #changed = Promise.withResolvers<void>();

  constructor(deps: ReaderDeps, { signal }: ReaderOptions) {
    this.#deps = deps;
    this.#signal = AbortSignal.any([signal, this.#ended.signal]);
    this.#crew = new Crew({
      entry,
      name: 'reading',
      workers: Math.min(availableParallelism(), maxWorkers),
      setUp: { kind: 'set-up', key: deps.key },
      isReply: (_message): _message is ReadingReply => true,
      onMessage: () => this.#wake(),
      onIdle: () => undefined,
      onFailure: (error) => this.#ended.abort(error),
    });
    this.#signal.addEventListener('abort', this.#aborted);
  }

  async ready(): Promise<void> {
    for (;;) {
      this.#signal.throwIfAborted();
      const limit = this.#crew.workers * waitingPerWorker;
      if (this.#crew.waiting < limit && this.#fetches < fetchesUnderWay) return;
      await this.#changed.promise;
    }
  }

  async place(pack: FileId, placements: readonly Placement[]): Promise<readonly PlacementFailure[]> {
    const failed = await this.#everywhere(pack, placements.map(itemOf), async (bytes, items) => {
      const blobs = items.map(({ blob, origin }) => {
        const { targets, holes } = origin;
        return { blob: withoutPack(blob), targets, holes };
      });
      const reply = await this.#run({ kind: 'place', pack: bytes, blobs });
      if (reply.kind === 'placed') return reply.failures;
      throw unexpectedReply();
    });
    return failed.map(({ origin: { location }, failure }) => ({ location, error: errorOf(location, failure) }));
  }

  async make(pack: FileId, files: readonly NewFile[]): Promise<MadeFiles> {
    const lost: string[] = [];
    const failed = await this.#everywhere(pack, files.map(itemOf), async (bytes, items) => {
      const reply = await this.#run({ kind: 'make', pack: bytes, files: toColumns(items) });
      if (reply.kind !== 'made') throw unexpectedReply();
      for (const one of reply.lost) lost.push(one);
      return reply.failures;
    });
    const failures = failed.map(({ origin: file, failure }) => ({ file, error: errorOf(file.location, failure) }));
    return { failures, lost };
  }

  async read(location: BlobLocation): Promise<Uint8Array> {
    const failures: Error[] = [];
    for (const candidate of [location, ...this.#othersOf(location)]) {
      const result = await this.#readAt(candidate);
      if (!(result instanceof Error)) return result;
      failures.push(result);
    }
    throw failures[0] ?? new HoldfastError('internal', 'a blob without a location was asked for');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new HoldfastError('interrupted', 'the reader was closed'));
    this.#signal.removeEventListener('abort', this.#aborted);
    await this.#crew[Symbol.asyncDispose]();
  }

  /** All of what is asked of one pack, and of other packs what that one doesn't give. */
  async #everywhere<Origin>(
    pack: FileId,
    items: readonly Item<Origin>[],
    ask: Ask<Origin>,
  ): Promise<readonly Failed<Origin>[]> {
    this.#signal.throwIfAborted();
    const failed = await everyOne(parcels(items).map(async (parcel) => this.#parcel(pack, parcel, ask)));
    const lost = await everyOne(failed.flat().map(async (each) => this.#elsewhere(each, ask)));
    return lost.flat();
  }

  async #parcel<Origin>(
    pack: FileId,
    items: readonly Item<Origin>[],
    ask: Ask<Origin>,
  ): Promise<readonly Failed<Origin>[]> {
    const { bytes, missing } = await this.#packBytes(pack, items);
    const there = missing.size === 0 ? items : items.filter((item) => !missing.has(item));
    const failed = missing
      .entries()
      .map(([item, failure]) => ({ ...item, failure }))
      .toArray();
    if (there.length === 0) return failed;
    const others = (await ask(bytes, there)).flatMap((failure) => {
      const item = there[failure.number];
      return item ? [{ ...item, failure }] : [];
    });
    return [...failed, ...others];
  }

  async #readAt({ pack, ...blob }: BlobLocation): Promise<Uint8Array | Error> {
    const item = { blob };
    const { bytes, missing } = await this.#packBytes(pack, [item]);
    const failure = missing.get(item);
    if (failure) return errorOf({ pack, ...blob }, failure);
    const reply = await this.#run({ kind: 'read', pack: bytes, blob });
    if (reply.kind === 'read') return reply.bytes;
    if (reply.kind === 'failed') return errorOf({ pack, ...blob }, reply.failure);
    throw unexpectedReply();
  }

  /** A damaged or lost blob may stand in another pack too. */
  async #elsewhere<Origin>(failed: Failed<Origin>, ask: Ask<Origin>): Promise<readonly Failed<Origin>[]> {
    for (const other of failed.failure.during === 'read' ? this.#othersOf(failed.blob) : []) {
      const failures = await this.#parcel(other.pack, [{ origin: failed.origin, blob: other }], ask);
      if (failures.length === 0) return [];
    }
    return [failed];
  }

  #othersOf({ type, id, pack, offset }: BlobLocation): readonly BlobLocation[] {
    return this.#deps.index.locations(type, id).filter((other) => other.pack !== pack || other.offset !== offset);
  }

  /** Where the packs are files a worker reads them by itself. */
  async #packBytes<Wanted extends HasBlob>(pack: FileId, items: readonly Wanted[]): Promise<Fetched<Wanted>> {
    const key = keyOf('data', pack);
    const path = this.#deps.storage.capabilities.localPath?.(key);
    if (path !== undefined) return { bytes: { kind: 'path', path }, missing: new Map() };
    const slices: Slice[] = [];
    const missing = new Map<Wanted, BlobTrouble>();
    const fetch = async (group: Group<Wanted>): Promise<void> => {
      const slice = await this.#fetch(key, group.offset, group.end - group.offset);
      if ('bytes' in slice) slices.push(slice);
      else for (const item of group.items) missing.set(item, slice);
    };
    await Promise.all(neighbours(items).map(fetch).toArray());
    return { bytes: { kind: 'slices', slices }, missing };
  }

  async #fetch(key: string, offset: number, length: number): Promise<Slice | BlobTrouble> {
    this.#fetches += 1;
    try {
      const range = { offset, length };
      const get = async (): Promise<Uint8Array> => this.#deps.storage.get(key, { range, signal: this.#signal });
      // An own copy: a view would be handed over with all the memory around it.
      return { bytes: new Uint8Array(await this.#fetching(get, this.#signal)), offset };
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof HoldfastError)) throw error;
      return { during: 'read', code: error.code, message: error.message };
    } finally {
      this.#fetches -= 1;
      this.#wake();
    }
  }

  async #run(request: ReadingWork): Promise<ReadingReply> {
    this.#signal.throwIfAborted();
    const transfer = request.pack.kind === 'slices' ? request.pack.slices.map(({ bytes }) => bytes.buffer) : [];
    return this.#crew.run(request, { transfer });
  }

  readonly #aborted = (): void => {
    this.#crew.fail(abortError(this.#signal));
    this.#wake();
  };

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

type HasBlob = Pick<BlobToPlace, 'blob'>;

/** A blob, where it is looked for, and what it is for. */
interface Item<Origin> {
  readonly origin: Origin;
  readonly blob: BlobLocation;
}

interface Failed<Origin> extends Item<Origin> {
  readonly failure: BlobTrouble;
}

/** Asks a worker for items of one pack; resolves with those that failed, by their number. */
type Ask<Origin> = (bytes: PackBytes, items: readonly Item<Origin>[]) => Promise<readonly BlobFailure[]>;

interface Fetched<Wanted> {
  readonly bytes: PackBytes;
  /** What the storage didn't give. */
  readonly missing: ReadonlyMap<Wanted, BlobTrouble>;
}

function itemOf<Origin extends { readonly location: BlobLocation }>(origin: Origin): Item<Origin> {
  return { origin, blob: origin.location };
}

function withoutPack(location: BlobLocation): PackedBlob {
  const { pack: _, ...blob } = location;
  return blob;
}

/** As `Promise.all`, but rejects only when all have settled: what a caller lent is free then. */
async function everyOne<Result>(promises: Iterable<Promise<Result>>): Promise<readonly Result[]> {
  const all = [...promises];
  await Promise.allSettled(all);
  return Promise.all(all);
}

function errorOf({ type, id, pack }: BlobLocation, { during, code, message }: BlobTrouble): HoldfastError {
  const blob = `the ${type} blob ${id.slice(0, 8)}`;
  if (during === 'write') return new HoldfastError(code, `cannot write ${blob} to its place: ${message}`);
  return new HoldfastError(code, `${blob} in ${shortName('data', pack)} can't be read: ${message}`);
}

function unexpectedReply(): HoldfastError {
  return new HoldfastError('internal', 'a worker answered another request than it was asked');
}
