import type { ErrorCode } from '../errors/codes.ts';
import type { Archive } from './archive.ts';
import type { BucketSetup } from './setup.ts';
import type { Versions } from './versions.ts';

/**
 * A place that holds named objects. Every driver keeps these promises, and the conformance suite
 * (conformance.ts) proves them for each driver and, by `holdfast doctor storage URL`, for a user's own.
 *
 * Keys are relative, '/'-separated, without empty, '.' or '..' segments; segments are `@?[A-Za-z0-9._-]+`, at most
 * 255 bytes; a key has at most 1,024 (keys.ts). No key is a folder of another. `data/ab/abcd…` is passed as that
 * key: a driver knows no repository.
 *
 * Atomicity. An object is there whole or not at all: a reader never sees a part of a `put`, also after a crash
 * of this process, of the machine, or a failed put. What a crash leaves behind is invisible to `list` and `get`,
 * and harmless.
 *
 * Durability. When `put` or `remove` resolves, its effect survives a power cut. An effect that was not confirmed
 * may or may not survive one, and later effects may survive earlier unconfirmed ones.
 *
 * Write-once. Keys are written once by convention. With `ifAbsent` a put of an existing key fails with
 * 'storage-exists' and leaves the old object, also between processes where `capabilities.conditionalCreate`.
 * Without it, a put replaces atomically (only a driver's own recovery and `config` repair do that).
 *
 * Listing. `list(prefix)` yields every object whose put or removal was confirmed before it was called exactly
 * once, in no order; objects put or removed meanwhile may or may not appear. A prefix ends with '/' or is ''.
 * A missing folder lists empty, a missing storage is 'storage-missing'.
 *
 * Errors, always HoldfastError: 'storage-not-found' (this key does not exist: certain knowledge, never a guess
 * from a failed connection), 'storage-exists', 'storage-denied', 'storage-full', 'storage-read-only',
 * 'storage-missing' (the whole storage is gone: unmounted, bucket deleted), 'storage-timeout', 'storage-failed'
 * (anything else). `transientCodes` names those that may pass by themselves. Errors name the key and the storage, no secret.
 *
 * A signal aborts the wait, not the effect: the call rejects with the signal's reason, and the effect is unknown, as
 * after a crash.
 */
export interface Storage extends AsyncDisposable {
  /** For people: the address without secrets. */
  readonly url: string;
  readonly capabilities: Capabilities;

  put(key: string, data: readonly Uint8Array[], options?: PutOptions): Promise<void>;
  /**
   * The object's bytes, or those of `range`. A range that reaches past the end fails with 'damaged': the object is
   * certainly shorter than whoever asks was told, and what is read is never silently shortened.
   */
  get(key: string, options?: GetOptions): Promise<Uint8Array>;
  stat(key: string, options?: WaitOptions): Promise<ObjectInfo>;
  list(prefix: string, options?: WaitOptions): AsyncIterable<ObjectInfo>;
  /** Removing what does not exist is 'storage-not-found', or done where the storage itself can't tell (rest-server, S3). */
  remove(key: string, options?: WaitOptions): Promise<void>;
  /**
   * Begins an object whose key is known only once all its bytes are (a pack is named by its hash), so that they need
   * not wait in memory. Only where a driver can write them where they will stay.
   */
  readonly stage?: ((options?: WaitOptions) => Promise<StagedObject>) | undefined;
  /**
   * Removes what interrupted puts left behind and nobody sees, if older than `before` (nanoseconds since 1970): a put
   * still running must not lose its work, so leave a day. Resolves with how many were removed. Only where a driver
   * can leave such things. `below` a prefix alone it takes the folders with it that are empty then.
   */
  readonly removeLeftovers?: ((before: bigint, options?: LeftoverOptions) => Promise<number>) | undefined;
  /** What objects were before, and their locks, where the storage keeps them (versions.ts). */
  readonly versions?: Versions | undefined;
  /**
   * What the storage's own clock shows, as exactly as it tells: nanoseconds since 1970. Only where objects don't tell when
   * they were written.
   */
  readonly timeThere?: ((options?: WaitOptions) => Promise<bigint>) | undefined;
  /** How the bucket is set up that this stands in, where it is one (setup.ts). */
  readonly setup?: BucketSetup | undefined;
  /** What is to be done before objects in an archive can be read, where there are such (archive.ts). */
  readonly archive?: Archive | undefined;
}

/** Disposed of without a commit, it leaves nothing. */
export interface StagedObject extends AsyncDisposable {
  /**
   * Adds bytes at the end. One call at a time; the bytes are free again when it resolves. One that failed, and is not
   * still under way, may be repeated with the same bytes.
   */
  write(data: readonly Uint8Array[]): Promise<void>;
  /**
   * As a `put` of all that was written: whole, durable and visible when it resolves. After a failure nobody knows what
   * of it is durable, and a second try would not find out: `read` and `put` what it gives, if it is still right.
   */
  commit(key: string, options?: WaitOptions): Promise<void>;
  /** All that was written, as it reads now: after a failure it may be something else. */
  read(): Promise<Uint8Array>;
}

export interface Capabilities {
  /**
   * Keys outside restic's own layout can be held (rest-server can't). Where not, each object but `config` is named by
   * the SHA-256 of its bytes and can't be replaced: a put of the same bytes succeeds, of others is 'storage-exists'.
   */
  readonly ownPrefixes: boolean;
  /** `ifAbsent` holds between processes and hosts. */
  readonly conditionalCreate: boolean;
  /** Objects can be locked against deletion until a time. */
  readonly lock: boolean;
  /** Old versions of objects are kept and can be read. */
  readonly versions: boolean;
  /**
   * What was put is in every listing that begins later, whoever lists: true where one system's kernel answers all. On
   * others a listing may lag behind.
   */
  readonly listsAtOnce?: true;
  /** A put is confirmed only once the storage has compared what it got with a hash that came with it. */
  readonly checksPuts?: true;
  /** Where set, the object can be read as a plain file at this path (by a worker, without a message). */
  readonly localPath?: (key: string) => string;
}

export interface WaitOptions {
  readonly signal?: AbortSignal;
}

export interface LeftoverOptions extends WaitOptions {
  /** Ends with '/'. */
  readonly below?: string;
}

export interface PutOptions extends WaitOptions {
  readonly ifAbsent?: true;
  /** Only a restore of data reads it: it may be kept where reading takes hours. */
  readonly rarelyRead?: true;
}

export interface GetOptions extends WaitOptions {
  readonly range?: { readonly offset: number; readonly length: number };
  /**
   * Of a whole object: a larger one fails with 'damaged' before it takes memory, for whoever asks knows that nothing of
   * its kind is so large.
   */
  readonly maxBytes?: number;
}

export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
  /** When the object was written, where the storage knows: nanoseconds since 1970. */
  readonly modifiedNs?: bigint;
}

/** Codes of errors that may pass by themselves: worth a bounded retry. */
export const transientCodes: readonly ErrorCode[] = ['storage-failed', 'storage-timeout'];
