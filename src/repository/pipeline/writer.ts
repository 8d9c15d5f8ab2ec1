import { displayPath, parseBlobId, type BlobId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Content } from '../content.ts';
import type { BlobIndex, BlobType } from '../index.ts';
import type { BlobWriter, StoredBlob, StoredContent, WriterOptions } from '../repository.ts';
import { abortError } from './abort-error.ts';
import { Batch } from './batch.ts';
import { OpenFile } from './descriptor.ts';
import { StoringEngine, type EngineDeps } from './engine.ts';
import type { ContentOutcome, PlainBlob, StoreRequest } from './protocol.ts';
import { storeRanges, type SharedBytes } from './ranges.ts';
import { StreamRing } from './ring.ts';
import { nothingStored, storedBy } from './stored.ts';
import { Totals } from './totals.ts';

type FileContent = Extract<Content, { kind: 'file' }>;
type StreamContent = Extract<Content, { kind: 'stream' }>;

interface Waiting<Item> {
  readonly item: Item;
  readonly done: PromiseWithResolvers<ContentOutcome>;
}

/** One message costs 12 µs, whatever it holds. */
const batchLimit = { items: 256, bytes: 2 ** 20 };
/** From here on several workers share a file. */
const rangesFromBytes = 8 * 2 ** 20;
/** Requests for each worker that may wait before `ready` does. */
const waitingPerWorker = 2;

/** A writer with workers of its own; the index takes one at a time. */
export async function openWriter(deps: EngineDeps, options: WriterOptions): Promise<BlobWriter> {
  return new PipelineWriter(deps, options);
}

class PipelineWriter implements BlobWriter {
  readonly totals = new Totals();
  readonly #engine: StoringEngine;
  readonly #index: BlobIndex;
  readonly #readConcurrency: number;
  readonly #files: Batch<Waiting<FileContent>>;
  readonly #plain: Batch<Waiting<PlainBlob>>;
  #sending: 'soon' | 'not yet' = 'not yet';
  #underWay = 0;
  #drained = Promise.withResolvers<void>();
  #largeUnderWay = 0;

  constructor(deps: EngineDeps, options: WriterOptions) {
    options.signal.throwIfAborted();
    this.#index = deps.index;
    this.#readConcurrency = options.readConcurrency;
    this.#files = new Batch(batchLimit, (files) => void this.#sendFiles(files));
    this.#plain = new Batch(batchLimit, (blobs) => void this.#sendPlain(blobs));
    this.#engine = new StoringEngine(deps, options, () => this.#sendBatches());
  }

  async ready(): Promise<void> {
    for (;;) {
      this.#engine.signal.throwIfAborted();
      const waits = this.#engine.waiting >= this.#engine.workers * waitingPerWorker;
      if (!waits && this.#largeUnderWay < this.#readConcurrency) return;
      await this.#engine.changed;
    }
  }

  store(content: Content): Promise<StoredContent> {
    return this.#track(this.#storeContent(content));
  }

  storeTree(json: Uint8Array): Promise<StoredBlob> {
    return this.storeBlob('tree', json);
  }

  storeBlob(type: BlobType, plaintext: Uint8Array, options?: { readonly evenIfKnown: true }): Promise<StoredBlob> {
    // An own copy: a view would be handed over with all the memory around it.
    const bytes = new Uint8Array(plaintext);
    return this.#track(this.#storePlain({ type, bytes, store: options ? 'always' : 'new' }));
  }

  async flush(): Promise<void> {
    await this.#drain();
    await this.#engine.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine[Symbol.asyncDispose]();
    await this.#drain();
  }

  /** Every call under way has settled. */
  async #drain(): Promise<void> {
    this.#sendBatches();
    while (this.#underWay > 0) await this.#drained.promise;
  }

  /** Who asked hears of a failure, and the process doesn't end by it where nobody listens yet. */
  #track<Result>(result: Promise<Result>): Promise<Result> {
    this.#underWay += 1;
    const done = (): void => {
      this.#underWay -= 1;
      if (this.#underWay > 0) return;
      this.#drained.resolve();
      this.#drained = Promise.withResolvers();
    };
    result.then(done, done);
    return result;
  }

  async #storeContent(content: Content): Promise<StoredContent> {
    this.#engine.signal.throwIfAborted();
    switch (content.kind) {
      case 'none':
        return nothingStored;
      case 'blobs':
        return this.#known(content.ids);
      case 'stream':
        return this.#storeStream(content);
      case 'file':
        return content.cut !== 'rabin' || content.sizeBytes >= rangesFromBytes
          ? this.#storeLarge(content)
          : this.#storeFile(content);
    }
  }

  #known(ids: readonly BlobId[]): StoredContent {
    let sizeBytes = 0;
    for (const id of ids) {
      const length = this.#index.plainLength('data', id);
      if (length === undefined) throw new HoldfastError('blob-missing', `no index names the data blob ${id}`);
      sizeBytes += length;
    }
    return { ...nothingStored, ids, sizeBytes };
  }

  async #storeFile(content: FileContent): Promise<StoredContent> {
    const outcome = await this.#inBatch(this.#files, content, content.sizeBytes);
    if (outcome.kind === 'large') return this.#storeLarge(content);
    return storedBy(outcome, displayPath(content.path));
  }

  async #storePlain(blob: PlainBlob): Promise<StoredBlob> {
    this.#engine.signal.throwIfAborted();
    const outcome = await this.#inBatch(this.#plain, blob, blob.bytes.length);
    const { ids, newBlobs, storedBytes } = storedBy(outcome, 'a blob');
    return { id: parseBlobId(ids[0] ?? ''), known: newBlobs === 0, storedBytes };
  }

  async #storeLarge(content: FileContent): Promise<StoredContent> {
    using file = new OpenFile(content.path);
    return await this.#storeRanges(file, content);
  }

  async #storeStream(content: StreamContent): Promise<StoredContent> {
    const ring = new StreamRing();
    const { signal } = this.#engine;
    const abort = (): void => ring.fail(abortError(signal));
    signal.addEventListener('abort', abort);
    try {
      void ring.fill(content.stream);
      return await this.#storeRanges(ring, content);
    } finally {
      ring.fail(abortError(signal));
      signal.removeEventListener('abort', abort);
    }
  }

  async #storeRanges(shared: SharedBytes, { cut }: FileContent | StreamContent): Promise<StoredContent> {
    this.#largeUnderWay += 1;
    try {
      const stored = await storeRanges(this.#engine, shared, cut);
      this.totals.add('data', stored);
      return stored;
    } finally {
      this.#largeUnderWay -= 1;
      this.#engine.wake();
    }
  }

  async #inBatch<Item>(batch: Batch<Waiting<Item>>, item: Item, bytes: number): Promise<ContentOutcome> {
    const done = Promise.withResolvers<ContentOutcome>();
    batch.add({ item, done }, bytes);
    if (this.#sending === 'not yet') {
      this.#sending = 'soon';
      setImmediate(() => this.#sendSoon());
    }
    return done.promise;
  }

  /** What waits for a tree can't go on without it; files wait for company while the workers are busy. */
  #sendSoon(): void {
    this.#sending = 'not yet';
    this.#plain.flush();
    if (this.#engine.isIdle) this.#files.flush();
  }

  #sendBatches(): void {
    this.#plain.flush();
    this.#files.flush();
  }

  async #sendFiles(waiting: readonly Waiting<FileContent>[]): Promise<void> {
    const files = waiting.map(({ item: { path, sizeBytes } }) => ({ path, sizeBytes }));
    await this.#send({ kind: 'files', files }, waiting, () => 'data');
  }

  async #sendPlain(waiting: readonly Waiting<PlainBlob>[]): Promise<void> {
    await this.#send({ kind: 'plain', blobs: waiting.map(({ item }) => item) }, waiting, ({ type }) => type);
  }

  /** Never rejects: those that wait hear of a failure. */
  async #send<Item>(
    request: StoreRequest,
    waiting: readonly Waiting<Item>[],
    typeOf: (item: Item) => BlobType,
  ): Promise<void> {
    try {
      const { contents } = await this.#engine.store(request);
      for (const [number, { item, done }] of waiting.entries()) {
        const outcome = contents[number] ?? { kind: 'failed', reason: 'the worker gave no result' };
        if (outcome.kind !== 'failed') this.totals.add(typeOf(item), outcome.stored);
        done.resolve(outcome);
      }
    } catch (error) {
      for (const { done } of waiting) done.reject(error);
    }
  }
}
