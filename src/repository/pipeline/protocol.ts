import type { ChunkLimits } from '../../chunking/chunker.ts';
import type { RawPath } from '../../bytes/ids.ts';
import type { CompressionMode } from '../../compression/zstd.ts';
import type { RepositoryKey } from '../../crypto/seal.ts';
import type { BlobType } from '../index.ts';
import type { TableMemory } from '../index/table.ts';
import type { BytesRead, PageChecks } from '../content.ts';
import type { PackedBlob } from '../pack.ts';
import type { Crate } from './crates.ts';
import type { OutcomeColumns } from './outcomes.ts';
import type { PackBytes } from './reading-protocol.ts';

/** What the main thread asks of a worker. A worker answers each request by one reply, in the order they came. */
export type Request =
  /** The first one; it has no reply. */
  ({ readonly kind: 'set-up' } & WorkerSetUp) | WorkRequest;

export type WorkRequest = CutRequest | StoreRequest;

/** Finds chunk ends from `start`, where a chunk starts, until one is at or past `untilAtLeast`. */
export interface CutRequest {
  readonly kind: 'cut';
  readonly from: Bytes;
  readonly start: number;
  readonly untilAtLeast: number;
}

export type StoreRequest =
  | FilesRequest
  | LiveFilesRequest
  | RangeRequest
  | { readonly kind: 'plain'; readonly blobs: readonly PlainBlob[] }
  | CarryRequest;

/** Blobs that stand in a pack already, of this or another repository. */
export interface CarryRequest {
  readonly kind: 'carry';
  /** That they are sealed with. */
  readonly key: RepositoryKey;
  readonly pack: PackBytes;
  readonly blobs: readonly PackedBlob[];
  readonly store: PlainBlob['store'];
}

/** Chunks one after the other, from `start` on; the content may have become shorter meanwhile. */
export interface RangeRequest {
  readonly kind: 'range';
  readonly from: Bytes;
  readonly start: number;
  readonly ends: readonly number[];
  /** Pages to look at, of a 'live' file. */
  readonly pages?: PageChecks | undefined;
  /** Of what is no 'live' file: that is looked at anyway. */
  readonly look?: 'crc32c' | undefined;
}

export interface WorkerSetUp {
  readonly table: TableMemory;
  readonly key: RepositoryKey;
  readonly chunkerPolynomial: string;
  readonly chunkLimits: ChunkLimits;
  /** Whichever way it is cut. */
  readonly largestChunk: number;
  readonly compression: { readonly data: CompressionMode; readonly tree: CompressionMode };
  readonly extraVerify: 'verified' | 'unverified';
  /** 'discard': sealed bytes are counted and thrown away. */
  readonly output: 'send' | 'discard';
}

/** Whole files: names and the sizes that they are expected to have. */
export interface FilesRequest {
  readonly kind: 'files';
  readonly paths: readonly RawPath[];
  readonly sizesBytes: Float64Array;
}

/** Whole files that are written to meanwhile. */
export interface LiveFilesRequest {
  readonly kind: 'live-files';
  readonly files: readonly LiveFile[];
}

export interface LiveFile {
  readonly path: RawPath;
  readonly sizeBytes: number;
  readonly pagesBytes: number;
  readonly pages: PageChecks | undefined;
}

/** Bytes that several workers share: an open file, or a ring in shared memory that is filled up to `end`. */
export type Bytes =
  | { readonly kind: 'descriptor'; readonly fd: number }
  /** Of which `end` bytes count, zeros where it has fewer. */
  | { readonly kind: 'live'; readonly fd: number; readonly end: number }
  | { readonly kind: 'ring'; readonly memory: SharedArrayBuffer; readonly end: number };

export interface PlainBlob {
  readonly type: BlobType;
  /** Handed over. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** 'always': stored once more even where it is known. */
  readonly store: 'new' | 'always';
}

export type Reply = CutReply | StoreReply;

export interface CutReply {
  readonly kind: 'cuts';
  readonly ends: readonly number[];
  /** The last end is that of the content. */
  readonly atEnd: boolean;
}

export interface StoreReply {
  readonly kind: 'stored';
  /** Of each file, range or plain blob of the request. */
  readonly contents: OutcomeColumns;
  /** Of the same, where they are of live files. */
  readonly read?: readonly (BytesRead | undefined)[];
}

export interface StoredBytes {
  /** 64 hex digits each. */
  readonly ids: readonly string[];
  readonly sizeBytes: number;
  readonly newBlobs: number;
  readonly newBytes: number;
  readonly storedBytes: number;
}

/** Sealed blobs one after the other; comes before the reply to the request that they belong to. */
export interface SealedPart extends Crate {
  readonly kind: 'sealed';
  /** Words of `BlobRecords`. */
  readonly records: Uint32Array;
}
