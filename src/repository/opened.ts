import type { BlobId, FileId } from '../bytes/ids.ts';
import type { ErrorCode } from '../errors/codes.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import type { Storage } from '../storage/storage.ts';
import { openBlob } from './blob.ts';
import type { CachedStorage } from './cache.ts';
import { emptyIndex, type BlobIndex, type BlobLocation, type BlobType } from './index.ts';
import { SharedIndex } from './index/shared-index.ts';
import { KeyRing } from './key-ring.ts';
import { idOf, keyOf, shortName } from './layout.ts';
import type {
  BlobReader,
  BlobWriter,
  FileKind,
  LoadIndexOptions,
  ReaderOptions,
  Repository,
  RepositoryConfig,
  SealedKind,
  WriterOptions,
} from './repository.ts';
import { readSealed, writeSealed } from './sealed-file.ts';
import { assertChangeable, attachSession, type Session } from './session.ts';
import type { WriteGate } from './write-gate.ts';

/** What another location of the same blob may make good. */
const unreadable: readonly ErrorCode[] = ['damaged', 'storage-not-found', 'storage-failed'];

export interface Opening {
  readonly session: Session;
  /** The storage past the cache, behind the same write gate. */
  readonly direct: Storage;
  readonly keyId: FileId;
  readonly writeGate: WriteGate;
  readonly cache: CachedStorage | undefined;
  /** The same storage once more, with a cache, a write gate and what hangs on them of its own. */
  readonly another: (keyId: FileId) => Opening;
}

/** A repository whose key and config are known. What not every command needs is loaded when it is asked for. */
export class OpenedRepository implements Repository {
  readonly keys: KeyRing;
  readonly writeGate: WriteGate;
  readonly #opening: Opening;
  readonly #session: Session;
  #index = new SharedIndex();
  #outgoing: BlobIndex = emptyIndex;

  constructor(opening: Opening) {
    this.#opening = opening;
    this.#session = opening.session;
    this.writeGate = opening.writeGate;
    this.keys = new KeyRing(opening.session, opening.keyId);
    attachSession(this, opening.session);
  }

  get storage(): Storage {
    return this.#session.storage;
  }

  get config(): RepositoryConfig {
    return this.#session.config;
  }

  get keyId(): FileId {
    return this.keys.current;
  }

  get index(): SharedIndex {
    return this.#index;
  }

  get outgoing(): BlobIndex {
    return this.#outgoing;
  }

  direct(): Repository {
    const { direct: storage, session, cache } = this.#opening;
    if (cache === undefined) return this;
    return new OpenedRepository({ ...this.#opening, session: { ...session, storage }, cache: undefined });
  }

  async again(): Promise<Repository> {
    for await (const { id } of this.list('keys')) {
      if (id === this.keyId) return new LentRepository(this.#opening.another(id));
    }
    throw new HoldfastError('no-repository', `${this.storage.url} does not hold the key any more that opened it`);
  }

  async *list(kind: FileKind, options?: { readonly signal?: AbortSignal }): ReturnType<Repository['list']> {
    for await (const { key, ...info } of this.storage.list(`${kind}/`, options)) {
      const id = idOf(key);
      if (id !== undefined && key === keyOf(kind, id)) yield { id, ...info };
    }
  }

  async readFile(kind: SealedKind, id: FileId): Promise<Uint8Array> {
    return readSealed(this.#session, kind, id);
  }

  async writeFile(kind: SealedKind, plaintext: Uint8Array): Promise<FileId> {
    return writeSealed(this.#session, kind, plaintext);
  }

  async removeFile(kind: FileKind, id: FileId): Promise<void> {
    if (kind !== 'locks') assertChangeable(this.config);
    await this.storage.remove(keyOf(kind, id));
  }

  async loadIndex(listener: Listener, options: LoadIndexOptions = {}): Promise<void> {
    const index = new SharedIndex();
    const { fillIndex } = await import('./fill-index.ts');
    // It reserves much room: only where there is something to put in.
    const outgoing = options.outgoing && new SharedIndex();
    const treePacks = await fillIndex(this, { index, outgoing: outgoing ?? index }, listener, options);
    [this.#index, this.#outgoing] = [index, outgoing ?? emptyIndex];
    await this.#opening.cache?.keepPacks(treePacks);
  }

  async readBlob(type: BlobType, id: BlobId): Promise<Uint8Array> {
    const locations = [...this.#index.locations(type, id), ...this.#outgoing.locations(type, id)];
    const failures: Error[] = [];
    for (const location of locations) {
      const blob = await this.#tryRead(location);
      if (!(blob instanceof Error)) return blob;
      failures.push(blob);
    }
    throw failures[0] ?? new HoldfastError('blob-missing', `no index names the ${type} blob ${id}`);
  }

  /** What is wrong is asked for once more, from the storage: the cache, or the way that it took, may be at fault. */
  async #tryRead(location: BlobLocation): Promise<Uint8Array | HoldfastError> {
    const { cache } = this.#opening;
    const first = await this.#readAt(location);
    if (!(first instanceof HoldfastError) || (cache === undefined && first.code !== 'damaged')) return first;
    await cache?.forget(keyOf('data', location.pack));
    return this.#readAt(location);
  }

  async #readAt(location: BlobLocation): Promise<Uint8Array | HoldfastError> {
    const { offset, length, pack } = location;
    try {
      const sealed = await this.storage.get(keyOf('data', pack), { range: { offset, length } });
      return openBlob(this.#session.key, location, sealed);
    } catch (cause) {
      if (!hasCode(cause, ...unreadable)) throw cause;
      const what = `the ${location.type} blob ${location.id.slice(0, 8)} in ${shortName('data', pack)}`;
      return new HoldfastError(cause.code, `${what} can't be read: ${cause.message}`, { cause });
    }
  }

  async openWriter(options: WriterOptions): Promise<BlobWriter> {
    assertChangeable(this.config);
    const writeIndex = async (plaintext: Uint8Array): Promise<FileId> => this.writeFile('index', plaintext);
    const { openWriter } = await import('./pipeline/writer.ts');
    return await openWriter({ ...this.#session, index: this.#index, writeIndex }, options);
  }

  async openReader(options: ReaderOptions): Promise<BlobReader> {
    const { openReader } = await import('./pipeline/reader.ts');
    return await openReader({ ...this.#session, index: this.#index }, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.storage[Symbol.asyncDispose]();
  }
}

/** Its storage is another one's to close. */
class LentRepository extends OpenedRepository {
  override async [Symbol.asyncDispose](): Promise<void> {}
}
