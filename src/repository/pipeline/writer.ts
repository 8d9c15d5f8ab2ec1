import { displayPath, parseBlobId, type BlobId, type FileId } from '../../bytes/ids.ts';
import { blobIdFor } from '../../crypto/id.ts';
import { HoldfastError, hasCode } from '../../errors/error.ts';
import type { BytesRead, Content } from '../content.ts';
import type { BlobIndex, BlobType } from '../index.ts';
import type { PackedBlob } from '../pack.ts';
import type { BlobWriter, CarryFailure, Repository, StoreAnyway } from '../repository.ts';
import type { StoredBlob, StoredContent, WriterOptions } from '../repository.ts';
import { abortError } from './abort-error.ts';
import { Batch } from './batch.ts';
import { Carrier, ofOneBlob, type CarryWork } from './carrier.ts';
import { cutFor, largestChunkOf } from './chunk-sizes.ts';
import { OpenFile } from './descriptor.ts';
import { StoringEngine, type EngineDeps } from './engine.ts';
import { fromColumns, type ContentOutcome } from './outcomes.ts';
import type { LiveFile, PlainBlob, StoreRequest } from './protocol.ts';
import { storeRanges, type SharedBytes } from './ranges.ts';
import { StreamRings } from './ring.ts';
import { nothingStored, storedBy } from './stored.ts';
import { Totals } from './totals.ts';
import { reject, settle, type Waiting } from './waiting.ts';

type FileContent = Extract<Content, { kind: 'file' }>;
type LiveContent = Extract<Content, { kind: 'live-file' }>;
type StreamContent = Extract<Content, { kind: 'stream' }>;

/** One message costs 12 µs, whatever it holds. */
const batchLimit = { items: 256, bytes: 2 ** 20 };
/** From here on several workers share a file. */
const rangesFromBytes = 8 * 2 ** 20;

/** A writer with workers of its own; the index takes one at a time. */
export async function openWriter(deps: EngineDeps, options: WriterOptions): Promise<BlobWriter> {
  return new PipelineWriter(deps, options);
}

class PipelineWriter implements BlobWriter {
  readonly totals = new Totals();
  readonly #engine: StoringEngine;
  readonly #index: BlobIndex;
  readonly #carriers = new Map<Repository, Carrier>();
  readonly #rings: StreamRings;
  readonly #readConcurrency: number;
  readonly #files: Batch<Waiting<FileContent, StoredContent>>;
  readonly #live: Batch<Waiting<LiveFile, StoredContent>>;
  readonly #plain: Batch<Waiting<PlainBlob, StoredBlob>>;
  #sending: 'soon' | 'not yet' = 'not yet';
  #underWay = 0;
  #drained = Promise.withResolvers<void>();
  #largeUnderWay = 0;

  constructor(deps: EngineDeps, options: WriterOptions) {
    options.signal.throwIfAborted();
    this.#index = deps.index;
    this.#readConcurrency = options.readConcurrency;
    this.#files = new Batch(batchLimit, (files) => void this.#sendFiles(files));
    this.#live = new Batch(batchLimit, (files) => void this.#sendLive(files));
    this.#plain = new Batch(batchLimit, (blobs) => void this.#sendPlain(blobs));
    this.#engine = new StoringEngine(deps, options, () => this.#sendBatches());
    this.#rings = new StreamRings(largestChunkOf(this.#engine.chunking));
  }

  ready(): Promise<void> | undefined {
    return this.#hasRoom() ? undefined : this.#room();
  }

  readonly getReady = (): void => this.#engine.start();

  store(wanted: Content): Promise<StoredContent> {
    const content = cutFor(this.#engine.chunking, wanted);
    if (!('cut' in content) || content.kind === 'stream' || content.sizeBytes >= rangesFromBytes)
      return this.#track(this.#storeAlone(content));
    if (content.kind === 'file' && content.cut === 'rabin')
      return this.#enqueue(this.#files, content, content.sizeBytes);
    if (content.kind === 'live-file' && content.cut !== 'rabin')
      return this.#enqueue(this.#live, { ...content, ...content.cut, pages: content.pages }, content.sizeBytes);
    return this.#track(this.#storeAlone(content));
  }

  /** Most trees of a second backup are there already: that is told here, and no worker is asked, nor started. */
  storeTree(json: Uint8Array): Promise<StoredBlob> {
    const id = blobIdFor(json);
    const known = this.#index.has('tree', id) && !this.#engine.signal.aborted;
    return known ? Promise.resolve({ id, known, storedBytes: 0 }) : this.storeBlob('tree', json);
  }

  storeBlob(type: BlobType, plaintext: Uint8Array, options?: StoreAnyway): Promise<StoredBlob> {
    // An own copy: a view would be handed over with all the memory around it.
    const bytes = new Uint8Array(plaintext);
    const blob: PlainBlob = { type, bytes, store: options ? 'always' : 'new' };
    return this.#enqueue(this.#plain, blob, bytes.length);
  }

  carry(
    from: Repository,
    pack: FileId,
    blobs: readonly PackedBlob[],
    options?: StoreAnyway,
  ): Promise<readonly CarryFailure[]> {
    return this.#track(this.#carry(from, { pack, blobs, store: options ? 'always' : 'new' }));
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

  #hasRoom(): boolean {
    const { hasRoom, signal } = this.#engine;
    return hasRoom && this.#largeUnderWay < this.#readConcurrency && !signal.aborted;
  }

  async #room(): Promise<void> {
    while (!this.#hasRoom()) {
      this.#engine.signal.throwIfAborted();
      await this.#engine.changed;
    }
  }

  /** Who asked hears of a failure, and the process doesn't end by it where nobody listens yet. */
  #track<Result>(result: Promise<Result>): Promise<Result> {
    this.#underWay += 1;
    const done = (): void => this.#settled(1);
    result.then(done, done);
    return result;
  }

  #settled(count: number): void {
    this.#underWay -= count;
    if (this.#underWay > 0) return;
    this.#drained.resolve();
    this.#drained = Promise.withResolvers();
  }

  async #storeAlone(content: Content): Promise<StoredContent> {
    this.#engine.signal.throwIfAborted();
    if (content.kind === 'none') return nothingStored;
    if (content.kind === 'blobs') return this.#known(content.ids);
    if (content.kind === 'stored') return content.stored;
    if (content.kind === 'bytes') return await this.#storeBytes(content.bytes);
    return content.kind === 'stream' ? this.#storeStream(content) : this.#storeLarge(content);
  }

  async #carry(from: Repository, work: CarryWork): Promise<readonly CarryFailure[]> {
    this.#engine.signal.throwIfAborted();
    const carrier =
      this.#carriers.get(from) ?? new Carrier(this.#engine, from, (type, stored) => this.totals.add(type, stored));
    this.#carriers.set(from, carrier);
    const lost = await carrier.carry(work);
    const failures = await Promise.all(lost.map(async (blob) => this.#carryPlain(from, work, blob)));
    return failures.flat();
  }

  /** Another pack may hold it too. */
  async #carryPlain(from: Repository, { pack, store }: CarryWork, blob: PackedBlob): Promise<readonly CarryFailure[]> {
    try {
      const plaintext = await from.readBlob(blob.type, blob.id);
      await this.storeBlob(blob.type, plaintext, store === 'always' ? { evenIfKnown: true } : undefined);
      return [];
    } catch (error) {
      this.#engine.signal.throwIfAborted();
      if (!hasCode(error, ...ofOneBlob)) throw error;
      return [{ location: { pack, ...blob }, error }];
    }
  }

  async #storeBytes(bytes: Uint8Array): Promise<StoredContent> {
    if (bytes.length === 0) return nothingStored;
    const { id, known, storedBytes } = await this.storeBlob('data', bytes);
    const added = known ? {} : { newBlobs: 1, newBytes: bytes.length, storedBytes };
    return { ...nothingStored, ids: [id], sizeBytes: bytes.length, ...added };
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

  async #storeLarge(content: FileContent | LiveContent): Promise<StoredContent> {
    const isLive = content.kind === 'live-file';
    using file = isLive
      ? new OpenFile(content.path, { endBytes: content.sizeBytes, pages: content.pages })
      : new OpenFile(content.path);
    return await this.#storeRanges(file, content);
  }

  async #storeStream(content: StreamContent): Promise<StoredContent> {
    const { signal } = this.#engine;
    using part = this.#rings.begin(content.look);
    const abort = (): void => part.fail(abortError(signal));
    signal.addEventListener('abort', abort);
    try {
      void part.fill(content.stream);
      return await this.#storeRanges(part, content);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async #storeRanges(shared: SharedBytes, { cut }: FileContent | LiveContent | StreamContent): Promise<StoredContent> {
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

  #enqueue<Item, Result>(batch: Batch<Waiting<Item, Result>>, item: Item, bytes: number): Promise<Result> {
    const waiting = { item, done: Promise.withResolvers<Result>() };
    this.#underWay += 1;
    batch.add(waiting, bytes);
    if (this.#sending === 'not yet') {
      this.#sending = 'soon';
      setImmediate(() => this.#sendSoon());
    }
    return waiting.done.promise;
  }

  /** What waits for a tree can't go on without it; files wait for company while the workers are busy. */
  #sendSoon(): void {
    this.#sending = 'not yet';
    this.#plain.flush();
    if (!this.#engine.isIdle) return;
    this.#files.flush();
    this.#live.flush();
  }

  #sendBatches(): void {
    this.#plain.flush();
    this.#files.flush();
    this.#live.flush();
  }

  async #sendFiles(files: readonly Waiting<FileContent, StoredContent>[]): Promise<void> {
    const paths = files.map(({ item }) => item.path);
    const sizesBytes = Float64Array.from(files, ({ item }) => item.sizeBytes);
    await this.#send({ kind: 'files', paths, sizesBytes }, files, (outcome, file) => {
      if (outcome.kind !== 'failed') this.totals.add('data', outcome.stored);
      return outcome.kind === 'large' ? this.#track(this.#storeLarge(file)) : storedBy(outcome, displayPath(file.path));
    });
  }

  async #sendLive(files: readonly Waiting<LiveFile, StoredContent>[]): Promise<void> {
    const request = { kind: 'live-files', files: files.map(({ item }) => item) } as const;
    await this.#send(request, files, (outcome, { path }, read) => {
      const stored = storedBy(outcome, displayPath(path), read);
      this.totals.add('data', stored);
      return stored;
    });
  }

  async #sendPlain(blobs: readonly Waiting<PlainBlob, StoredBlob>[]): Promise<void> {
    await this.#send({ kind: 'plain', blobs: blobs.map(({ item }) => item) }, blobs, (outcome, { type }) => {
      const stored = storedBy(outcome, 'a blob');
      this.totals.add(type, stored);
      return { id: parseBlobId(stored.ids[0] ?? ''), known: stored.newBlobs === 0, storedBytes: stored.storedBytes };
    });
  }

  /** Never rejects: those that wait hear of a failure. */
  async #send<Item, Result>(
    request: StoreRequest,
    waiting: readonly Waiting<Item, Result>[],
    finish: (outcome: ContentOutcome, item: Item, read: BytesRead | undefined) => Result | Promise<Result>,
  ): Promise<void> {
    try {
      const { contents, read } = await this.#engine.store(request);
      for (const [number, outcome] of fromColumns(contents).toArray().entries()) {
        const each = waiting[number];
        if (each) settle(each.done, () => finish(outcome, each.item, read?.[number]));
      }
    } catch (error) {
      for (const { done } of waiting) reject(done, error);
    } finally {
      this.#settled(waiting.length);
    }
  }
}
