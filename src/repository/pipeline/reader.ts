import { availableParallelism } from 'node:os';
import type { FileId } from '../../bytes/ids.ts';
import type { RepositoryKey } from '../../crypto/seal.ts';
import { release } from '../../bytes/release.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Storage } from '../../storage/storage.ts';
import type { BlobIndex, BlobLocation } from '../index.ts';
import { keyOf, shortName } from '../layout.ts';
import type { PackedBlob } from '../pack.ts';
import type { BlobReader, Filled, Fillings, NewFile, Placement, ReaderOptions } from '../repository.ts';
import { Crew } from '../../host/crew.ts';
import { abortError } from './abort-error.ts';
import { neighbours, parcels, type Group } from './groups.ts';
import { toColumns } from './new-file-columns.ts';
import type { BlobFailure, BlobTrouble, PackBytes } from './reading-protocol.ts';
import type { ReadingReply, ReadingRequest, ReadingWork } from './reading-protocol.ts';
import { slicesOf, SpanFetcher, spans } from './span-fetcher.ts';

export interface ReaderDeps {
  readonly storage: Storage;
  readonly key: RepositoryKey;
  readonly index: BlobIndex;
}

const entry = new URL(import.meta.url.endsWith('.ts') ? 'read-worker.ts' : 'read-worker.js', import.meta.url);
const maxWorkers = 8;
/** Requests for each worker that may wait before `ready` does. */
const waitingPerWorker = 2;

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
  readonly #fetcher: SpanFetcher;
  #changed = Promise.withResolvers<void>();

  constructor(deps: ReaderDeps, { signal, writeBack }: ReaderOptions) {
    this.#deps = deps;
    this.#signal = AbortSignal.any([signal, this.#ended.signal]);
    this.#fetcher = new SpanFetcher(deps.storage, this.#signal, () => this.#wake());
    this.#crew = new Crew({
      entry,
      name: 'reading',
      workers: Math.min(availableParallelism(), maxWorkers),
      setUp: { kind: 'set-up', key: deps.key, writeBack },
      isReply: (_message): _message is ReadingReply => true,
      onMessage: () => this.#wake(),
      onIdle: () => undefined,
      onFailure: (error) => this.#ended.abort(error),
    });
    this.#signal.addEventListener('abort', this.#aborted);
  }

  get calls(): BlobReader['calls'] {
    return this.#deps.storage.capabilities.localPath === undefined ? 'dear' : 'cheap';
  }

  async ready(): Promise<void> {
    await this.#until(() => this.#crewHasRoom() && this.#fetcher.isIdle);
  }

  async fill(pack: FileId, { placements = [], files = [] }: Fillings): Promise<Filled> {
    this.#signal.throwIfAborted();
    const lost: string[] = [];
    const failed = await this.#everywhere(pack, [placements, files].flat().map(itemOf), lost);
    const told = failed.map(({ origin, failure }) => ({ origin, error: errorOf(origin.location, failure) }));
    return {
      unplaced: told.flatMap(({ origin, error }) => (isFile(origin) ? [] : [{ location: origin.location, error }])),
      unmade: told.flatMap(({ origin, error }) => (isFile(origin) ? [{ file: origin, error }] : [])),
      lost,
    };
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
  async #everywhere(pack: FileId, items: readonly Item[], lost: string[]): Promise<readonly Failed[]> {
    const failed = await this.#from(pack, items, lost);
    return (await everyOne(failed.map(async (each) => this.#elsewhere(each, lost)))).flat();
  }

  /** Where the packs are files a worker reads them by itself. */
  async #from(pack: FileId, items: readonly Item[], lost: string[]): Promise<readonly Failed[]> {
    const key = keyOf('data', pack);
    const path = this.#deps.storage.capabilities.localPath?.(key);
    if (path === undefined) return this.#fromSpans(key, [...neighbours(items, spans)], lost);
    return (await everyOne(shares(items).map((share) => this.#ask({ kind: 'path', path }, share, lost)))).flat();
  }

  async #fromSpans(key: string, groups: readonly Group<Item>[], lost: string[]): Promise<readonly Failed[]> {
    const fetching = groups.map((span) => this.#fetcher.use(async () => this.#fromSpan(key, span, lost)));
    const asked = await everyOne(fetching);
    return (await everyOne(asked.flat())).flat();
  }

  /** Resolves once all that was fetched is handed on. What reaches past the pack's end is asked for blob by blob. */
  async #fromSpan(key: string, span: Group<Item>, lost: string[]): Promise<readonly Promise<readonly Failed[]>[]> {
    const { offset, end, items } = span;
    const fetched = await this.#fetcher.get(key, { offset, length: end - offset });
    if (!('bytes' in fetched)) {
      if (fetched.code !== 'damaged' || items.length === 1)
        return [Promise.resolve(items.map((item) => ({ ...item, failure: fetched })))];
      const single = items.map(async (item) => this.#fromSpan(key, { ...placeOf(item), items: [item] }, lost));
      return (await everyOne(single)).flat();
    }
    const asked: Promise<readonly Failed[]>[] = [];
    for (const share of shares(items)) {
      await this.#room();
      const answer = this.#ask(slicesOf(share, fetched), share, lost);
      answer.catch(() => undefined); // heard once all are asked
      asked.push(answer);
    }
    release(fetched.bytes);
    return asked;
  }

  async #ask(bytes: PackBytes, items: readonly Item[], lost: string[]): Promise<readonly Failed[]> {
    const failures = await this.#request(bytes, items, lost);
    return failures.flatMap((failure) => {
      const item = items[failure.number];
      return item ? [{ ...item, failure }] : [];
    });
  }

  /** All are placements or all are files. */
  async #request(pack: PackBytes, items: readonly Item[], lost: string[]): Promise<readonly BlobFailure[]> {
    const files = items.flatMap(({ origin, blob }) => (isFile(origin) ? [{ origin, blob }] : []));
    if (files.length > 0) {
      const reply = await this.#run({ kind: 'make', pack, files: toColumns(files) });
      if (reply.kind !== 'made') throw unexpectedReply();
      for (const one of reply.lost) lost.push(one);
      return reply.failures;
    }
    const blobs = items.flatMap(({ origin, blob }) =>
      isFile(origin) ? [] : [{ blob: withoutPack(blob), targets: origin.targets, holes: origin.holes }],
    );
    const reply = await this.#run({ kind: 'place', pack, blobs });
    if (reply.kind !== 'placed') throw unexpectedReply();
    return reply.failures;
  }

  async #readAt({ pack, ...blob }: BlobLocation): Promise<Uint8Array | Error> {
    const key = keyOf('data', pack);
    const path = this.#deps.storage.capabilities.localPath?.(key);
    const bytes = path === undefined ? await this.#fetcher.get(key, blob) : { path };
    if ('code' in bytes) return errorOf({ pack, ...blob }, bytes);
    const source: PackBytes = 'path' in bytes ? { kind: 'path', ...bytes } : slicesOf([{ blob }], bytes);
    const reply = await this.#run({ kind: 'read', pack: source, blob });
    if (reply.kind === 'read') return reply.bytes;
    if (reply.kind === 'failed') return errorOf({ pack, ...blob }, reply.failure);
    throw unexpectedReply();
  }

  /** A damaged or lost blob may stand in another pack too. */
  async #elsewhere(failed: Failed, lost: string[]): Promise<readonly Failed[]> {
    for (const other of failed.failure.during === 'read' ? this.#othersOf(failed.blob) : []) {
      const failures = await this.#from(other.pack, [{ origin: failed.origin, blob: other }], lost);
      if (failures.length === 0) return [];
    }
    return [failed];
  }

  #othersOf({ type, id, pack, offset }: BlobLocation): readonly BlobLocation[] {
    return this.#deps.index.locations(type, id).filter((other) => other.pack !== pack || other.offset !== offset);
  }

  async #run(request: ReadingWork): Promise<ReadingReply> {
    this.#signal.throwIfAborted();
    const transfer = request.pack.kind === 'slices' ? request.pack.slices.map(({ bytes }) => bytes.buffer) : [];
    return this.#crew.run(request, { transfer });
  }

  /** What is taken out of a span waits for a worker: never much of it. */
  async #room(): Promise<void> {
    await this.#until(() => this.#crewHasRoom());
  }

  #crewHasRoom(): boolean {
    return this.#crew.waiting < this.#crew.workers * waitingPerWorker;
  }

  async #until(holds: () => boolean): Promise<void> {
    for (;;) {
      this.#signal.throwIfAborted();
      if (holds()) return;
      await this.#changed.promise;
    }
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

type Filling = Placement | NewFile;

/** A blob, where it is looked for, and what it is for. */
interface Item {
  readonly origin: Filling;
  readonly blob: BlobLocation;
}

interface Failed extends Item {
  readonly failure: BlobTrouble;
}

function isFile(origin: Filling): origin is NewFile {
  return 'path' in origin;
}

function itemOf(origin: Filling): Item {
  return { origin, blob: origin.location };
}

function placeOf({ blob: { offset, length } }: Item): Pick<Group<Item>, 'offset' | 'end'> {
  return { offset, end: offset + length };
}

/** What one request to a worker takes. */
function shares(items: readonly Item[]): readonly (readonly Item[])[] {
  const [files, placements] = [
    items.filter(({ origin }) => isFile(origin)),
    items.filter(({ origin }) => !isFile(origin)),
  ];
  return [files, placements].flatMap((kind) => [...parcels(kind)]);
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
