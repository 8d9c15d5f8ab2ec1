import { availableParallelism } from 'node:os';
import { HoldfastError } from '../../errors/error.ts';
import type { Chunking } from '../content.ts';
import type { BlobType } from '../index.ts';
import type { RepositoryConfig, WriterOptions } from '../repository.ts';
import { abortError } from './abort-error.ts';
import { BlobRecords } from './blob-records.ts';
import { BlockPool } from './blocks.ts';
import { largestChunkOf, limitsOf } from './chunk-sizes.ts';
import { Crew } from '../../host/crew.ts';
import { giveBack } from './crates.ts';
import type { OpenPack } from './open-pack.ts';
import { PackStore, type PackStoreDeps } from './pack-store.ts';
import { Packer } from './packer.ts';
import type { CutReply, CutRequest, Reply, Request, SealedPart, StoreReply, StoreRequest } from './protocol.ts';
import type { RangeCrew } from './ranges.ts';

export interface EngineDeps extends PackStoreDeps {
  readonly config: Pick<RepositoryConfig, 'version' | 'chunkerPolynomial' | 'chunking'>;
}

const entry = new URL(import.meta.url.endsWith('.ts') ? 'pipeline-worker.ts' : 'pipeline-worker.js', import.meta.url);
const maxWorkers = 8;
/** Requests for each worker that may wait. */
const waitingPerWorker = 2;
const packsUnderWay = 2;
const maxBlocksStaging = 8;

/** The workers, and what becomes of the blobs that they seal. The first failure ends all of it. */
export class StoringEngine implements RangeCrew, AsyncDisposable {
  readonly #deps: EngineDeps;
  readonly #mode: WriterOptions['mode'];
  readonly #crew: Crew<Request, Reply, SealedPart>;
  readonly #packs: PackStore;
  readonly #packers: Readonly<Record<BlobType, Packer>>;
  readonly #ended = new AbortController();
  #blocksStaging = 0;
  #changed = Promise.withResolvers<void>();

  constructor(deps: EngineDeps, options: WriterOptions, onIdle: () => void) {
    this.#deps = deps;
    this.#mode = options.mode;
    this.#packs = new PackStore(deps, { limit: packsUnderWay, signal: options.signal });
    const memory = {
      pool: new BlockPool(),
      storage: deps.storage,
      stageFromBytes: options.packSizeBytes / 4,
      onStaging: this.#staging,
      onFailure: (error: unknown) => this.#fail(asError(error)),
    };
    const packer = { targetBytes: options.packSizeBytes, memory, onFull: this.#store };
    this.#packers = { data: new Packer('data', packer), tree: new Packer('tree', packer) };
    this.#crew = new Crew<Request, Reply, SealedPart>({
      entry,
      name: 'storing',
      workers: Math.min(availableParallelism(), maxWorkers),
      setUp: setUpOf(deps, options),
      isReply: (message) => message.kind !== 'sealed',
      onMessage: this.#receive,
      onIdle,
      onFailure: this.#fail,
    });
    this.#packs.signal.addEventListener('abort', this.#aborted);
  }

  get workers(): number {
    return this.#crew.workers;
  }

  get chunking(): Chunking {
    return this.#deps.config.chunking;
  }

  /** Some worker has nothing to do. */
  get isIdle(): boolean {
    return this.#crew.isIdle;
  }

  /** Aborted by the first failure, by the caller's signal and by disposal. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Not much waits for the workers. */
  get hasRoom(): boolean {
    return this.#crew.waiting < this.workers * waitingPerWorker;
  }

  start(): void {
    this.#crew.start();
  }

  async room(): Promise<void> {
    while (!this.hasRoom) {
      this.signal.throwIfAborted();
      await this.changed;
    }
  }

  /** Resolves after the next reply, stored pack, failure or `wake`. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async cut(request: CutRequest): Promise<CutReply> {
    const reply = await this.#crew.run(request, { urgency: 'urgent' });
    if (reply.kind === 'cuts') return reply;
    throw new HoldfastError('internal', 'a worker answered another request than it was asked');
  }

  async store(request: StoreRequest): Promise<StoreReply> {
    const reply = await this.#crew.run(request, { transfer: handedOver(request) });
    if (reply.kind === 'stored') return reply;
    throw new HoldfastError('internal', 'a worker answered another request than it was asked');
  }

  /** Every blob that a worker sealed is durable and indexed when it resolves. */
  async flush(): Promise<void> {
    this.signal.throwIfAborted();
    if (this.#mode === 'dry-run') return;
    for (const packer of Object.values(this.#packers)) packer.flush();
    await this.#packs.flush();
    this.signal.throwIfAborted();
    if (this.#deps.index.claimed > 0) throw new HoldfastError('internal', 'a blob was claimed and never stored');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#packs.signal.removeEventListener('abort', this.#aborted);
    this.#fail(new HoldfastError('interrupted', 'the writer was closed'));
    await this.#crew[Symbol.asyncDispose]();
    await this.#packs[Symbol.asyncDispose]();
    for (const packer of Object.values(this.#packers)) await packer.discard();
    this.#deps.index.detach();
  }

  readonly #receive = (reply: Reply | SealedPart): void => {
    if (reply.kind !== 'sealed') return this.wake();
    // A worker that waits for room ends all the sooner.
    if (!this.signal.aborted) this.#pack(reply);
    giveBack(reply);
  };

  #pack(part: SealedPart): void {
    let offset = 0;
    for (const blob of BlobRecords.over(part.records)) {
      this.#packers[blob.type].add(blob, new Uint8Array(part.bytes, offset, blob.length));
      offset += blob.length;
    }
  }

  readonly #store = (pack: OpenPack): void => {
    this.#packs.store(pack, () => {
      this.#regulate();
      this.wake();
    });
    this.#regulate();
  };

  readonly #staging = (blocks: number): void => {
    this.#blocksStaging += blocks;
    this.#regulate();
  };

  /** While the storage lags behind, the workers get nothing new to do. */
  #regulate(): void {
    const lags = this.#packs.underWay > packsUnderWay || this.#blocksStaging > maxBlocksStaging;
    if (lags) this.#crew.hold();
    else this.#crew.resume();
  }

  readonly #aborted = (): void => this.#fail(abortError(this.#packs.signal));

  readonly #fail = (error: Error): void => {
    if (this.signal.aborted) return;
    this.#ended.abort(error);
    this.#crew.fail(error);
    this.wake();
  };
}

function handedOver(request: StoreRequest): readonly ArrayBuffer[] {
  if (request.kind === 'plain') return request.blobs.map(({ bytes }) => bytes.buffer);
  const slices = request.kind === 'carry' && request.pack.kind === 'slices' ? request.pack.slices : [];
  return slices.map(({ bytes }) => bytes.buffer);
}

function setUpOf({ config, index, key }: EngineDeps, options: WriterOptions): Request {
  const { compression, extraVerify, mode } = options;
  const uncompressed = { data: 'off', tree: 'off' } as const;
  return {
    kind: 'set-up',
    table: index.attach(),
    key,
    chunkerPolynomial: config.chunkerPolynomial,
    chunkLimits: limitsOf(config.chunking),
    largestChunk: largestChunkOf(config.chunking),
    // Version 2 compresses trees even with compression off: restic's prune repacks packs with other trees.
    compression:
      config.version === 1 ? uncompressed : { data: compression, tree: compression === 'off' ? 'auto' : compression },
    extraVerify,
    output: mode === 'dry-run' ? 'discard' : 'send',
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
