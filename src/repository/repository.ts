import type { BlobId, FileId, RawPath } from '../bytes/ids.ts';
import type { CompressionMode } from '../compression/zstd.ts';
import type { Listener } from '../events/events.ts';
import type { FileAttributes } from '../host/attributes.ts';
import type { Chunking, Content, StoredContent } from './content.ts';
import type { Storage } from '../storage/storage.ts';
import type { BlobIndex, BlobLocation, BlobType } from './index.ts';
import type { IndexFile, IndexedPack } from './index-file.ts';
import type { PackedBlob } from './pack.ts';
import type { Keys } from './passwords.ts';
import type { WriteGate } from './write-gate.ts';

export type { StoredContent } from './content.ts';

/**
 * A restic repository, opened with a password. What is durable and visible after each call:
 *
 * - `writeFile` — the file is durable and visible to every client.
 * - `BlobWriter.store` — nothing yet: blobs are in memory or in packs that no index names (harmless, removed by a
 *   later prune).
 * - `BlobWriter.flush` — every blob stored before is durable in a pack, and an index that names it is durable.
 * - A snapshot written after `flush` is therefore complete; a crash before leaves only unreferenced data.
 *
 * Write order everywhere: packs, index, snapshot. Removal: snapshot, index rewritten, old index, packs.
 * Every read is checked: file names against the hash of their bytes, blobs by MAC, length and hash. A wrong one is
 * 'damaged', naming the file.
 */
export interface Repository extends AsyncDisposable {
  readonly storage: Storage;
  readonly config: RepositoryConfig;
  /** The key file that opened it. */
  readonly keyId: FileId;
  readonly keys: Keys;
  /** Held, and in the worst case shut, by who takes the lock. */
  readonly writeGate: WriteGate;
  /** Loaded by `loadIndex`; empty before. */
  readonly index: BlobIndex;
  /** What `loadIndex` was told to count as absent: `readBlob` finds it, nothing else does. */
  readonly outgoing: BlobIndex;

  /**
   * The same repository past the cache: `check` trusts nothing that isn't in the storage. Its index is its own and
   * empty; it is disposed of with this one.
   */
  direct(): Repository;
  /**
   * The same repository opened once more, without a derivation: its index is its own and empty, and so is its write
   * gate, so that nothing that was read or befell before decides anything now. The storage is asked whether it still
   * holds the key; rejects where it doesn't or can't be asked. Ends when this one is disposed of.
   */
  again(): Promise<Repository>;
  /** IDs and stored sizes; what isn't named by 64 hex digits is ignored, as restic does. */
  list(kind: FileKind, options?: { readonly signal?: AbortSignal }): AsyncIterable<ListedFile>;
  /** Decrypted and decompressed plaintext of an index, snapshot or lock file. */
  readFile(kind: SealedKind, id: FileId): Promise<Uint8Array>;
  /** Compresses (version 2, not locks as restic), seals, stores; resolves when durable. */
  writeFile(kind: SealedKind, plaintext: Uint8Array): Promise<FileId>;
  removeFile(kind: FileKind, id: FileId): Promise<void>;

  /** Reads every index file (cache allowed); list snapshots before. */
  loadIndex(listener: Listener, options?: LoadIndexOptions): Promise<void>;
  /** 'blob-missing' when the index knows no location; falls back to a further location when one is damaged. */
  readBlob(type: BlobType, id: BlobId): Promise<Uint8Array>;
  openWriter(options: WriterOptions): Promise<BlobWriter>;
  openReader(options: ReaderOptions): Promise<BlobReader>;
}

export interface LoadIndexOptions {
  /** Told of index files that can't be read, which are left out as far as that; without it the first fails the loading. */
  readonly onUnreadable?: (id: FileId, error: Error) => void;
  /** Told what each file names, as it is read. */
  readonly onRead?: (id: FileId, file: IndexFile) => void;
  /** What is on its way out of the repository, apart from what stays; with it also what index files mark for deletion. */
  readonly outgoing?: OutgoingPacks;
}

export interface OutgoingPacks {
  /** Packs that an index names. */
  readonly packs: ReadonlySet<FileId>;
  /** Packs that need not be in any index. */
  readonly unnamed?: AsyncIterable<IndexedPack>;
  /** Of all these, and of the marked ones, what counts as present all the same. */
  readonly recovered?: ReadonlySet<FileId>;
}

export interface ListedFile {
  readonly id: FileId;
  /** As stored. */
  readonly sizeBytes: number;
  /** When it was written, where the storage knows: nanoseconds since 1970. */
  readonly modifiedNs?: bigint;
}

/** Folders of the layout. */
export type FileKind = 'data' | 'index' | 'snapshots' | 'keys' | 'locks';
export type SealedKind = 'index' | 'snapshots' | 'locks';

export interface RepositoryConfig {
  readonly version: 1 | 2;
  /** 64 hex digits, chosen at init. */
  readonly id: string;
  /** Lower-case hex. */
  readonly chunkerPolynomial: string;
  /** How files are cut; restic's way unless rustic set another. */
  readonly chunking: Chunking;
  /** Set by rustic: nothing may be written but locks. */
  readonly appendOnly: boolean;
  /** The whole JSON object, with keys that only other clients know (rustic's); kept on every rewrite. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface WriterOptions {
  readonly compression: CompressionMode;
  /** Target size of a pack, bytes; 16 MiB by default, 4 to 128. */
  readonly packSizeBytes: number;
  /** Re-reads each sealed blob before it is handed on: 'verified' unless --no-extra-verify. */
  readonly extraVerify: 'verified' | 'unverified';
  /** How many contents are read at the same time. */
  readonly readConcurrency: number;
  readonly signal: AbortSignal;
  /** 'dry-run': reads, cuts, hashes, compresses, and stores nothing. */
  readonly mode: 'store' | 'dry-run';
}

/**
 * The one entrance for blobs. Calls may overlap; `store` resolves out of order. Back pressure: `ready()` resolves
 * when another content may be handed over, or is undefined when one may be now; a caller awaits it before each `store`.
 */
export interface BlobWriter extends AsyncDisposable {
  ready(): Promise<void> | undefined;
  /** Starts the workers now, for who knows that there will be something new. */
  getReady(): void;
  /** Cuts, hashes and stores what the index doesn't have. Rejects with 'source-failed' when the content can't be read. */
  store(content: Content): Promise<StoredContent>;
  /** One tree blob (JSON with the final newline); resolves when its ID is known. */
  storeTree(json: Uint8Array): Promise<StoredBlob>;
  /** One blob that is plaintext already. */
  storeBlob(type: BlobType, plaintext: Uint8Array, options?: StoreAnyway): Promise<StoredBlob>;
  /**
   * Stores blobs that stand in a pack of `from`, this repository or another: each is opened with that one's key, held
   * against its ID and sealed anew. What is compressed and would be again stays as it is. One that is damaged there is
   * looked for in other packs; resolves with those that can't be had, all others are stored.
   */
  carry(
    from: Repository,
    pack: FileId,
    blobs: readonly PackedBlob[],
    options?: StoreAnyway,
  ): Promise<readonly CarryFailure[]>;
  /** Everything stored so far is durable and indexed when it resolves. */
  flush(): Promise<void>;
  readonly totals: WriterTotals;
}

/** A further copy is stored where the blob is known already. */
export interface StoreAnyway {
  readonly evenIfKnown: true;
}

export interface CarryFailure {
  readonly location: BlobLocation;
  readonly error: Error;
}

export interface StoredBlob {
  readonly id: BlobId;
  readonly known: boolean;
  readonly storedBytes: number;
}

export interface WriterTotals {
  readonly dataBlobs: number;
  readonly treeBlobs: number;
  /** Plaintext bytes of new data and tree blobs. */
  readonly dataBytes: number;
  readonly treeBytes: number;
  /** Bytes that the new blobs take in packs, by type. */
  readonly dataStoredBytes: number;
  readonly treeStoredBytes: number;
}

export interface ReaderOptions {
  readonly signal: AbortSignal;
  /** 'at once': what comes into open files is sent on its way to the disk, for whoever waits for that in the end. */
  readonly writeBack?: 'at once' | undefined;
}

/**
 * Reads data blobs in bulk and puts them at their places: workers fetch ranges of one pack, check, decrypt,
 * decompress and write with positioned writes to descriptors that the caller opened and keeps open until the
 * promise settles. Descriptors are shared by all threads of the process.
 */
export interface BlobReader extends AsyncDisposable {
  /** 'dear': packs are no files, so that each call of `fill` takes requests. */
  readonly calls: 'cheap' | 'dear';
  ready(): Promise<void>;
  /**
   * Writes blobs of one pack, in any order, and makes files that are one such blob each: a worker opens, fills and
   * closes them; whatever stands at a path already is left alone, and that file fails. Where packs are no files, each
   * call asks the storage for as few long parts of the pack as it can. Resolves with what couldn't be done; all else
   * is. A call that rejects does so when no worker is at it any more.
   */
  fill(pack: FileId, fillings: Fillings): Promise<Filled>;
  /** For readers that need the bytes: checked plaintext. */
  read(location: BlobLocation): Promise<Uint8Array>;
}

export interface Fillings {
  readonly placements?: readonly Placement[];
  readonly files?: readonly NewFile[];
}

export interface Filled {
  readonly unplaced: readonly PlacementFailure[];
  readonly unmade: readonly NewFileFailure[];
  /** What this host or user can't keep of new files, once for each: see `AttributeOptions`. */
  readonly lost: readonly string[];
}

export interface Placement {
  readonly location: BlobLocation;
  readonly targets: readonly { readonly fd: number; readonly offset: number }[];
  /** 'skip-zeros': runs of zeros are not written (the file has its final length already). */
  readonly holes: 'write-all' | 'skip-zeros';
}

export interface PlacementFailure {
  readonly location: BlobLocation;
  readonly error: Error;
}

export interface NewFile {
  readonly location: BlobLocation;
  /** Through the descriptor of its folder, which stays open until the promise settles. */
  readonly path: RawPath;
  /** Its extended attributes are all that it keeps. */
  readonly attributes: FileAttributes;
  readonly holes: Placement['holes'];
}

export interface NewFileFailure {
  readonly file: NewFile;
  readonly error: Error;
}
