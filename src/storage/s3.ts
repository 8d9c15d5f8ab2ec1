import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { systemClock } from '../clock/clock.ts';
import { hasCode, HoldfastError } from '../errors/error.ts';
import { orAborted } from '../flow/abort.ts';
import { retry, type RetryOptions } from '../flow/retry.ts';
import { isSegment, checkKey, checkPrefix } from './keys.ts';
import type { DriverSettings } from './driver.ts';
import type { Archive } from './archive.ts';
import { parseS3Address, showS3Address, type S3Address } from './s3/address.ts';
import { s3Archive, type ListedClass } from './s3/archive.ts';
import { attributesOf } from './s3/attributes.ts';
import { infoOf, keyBelow, nsOf, told } from './s3/answers.ts';
import { beyond, rangeOf, receivedBody } from './s3/body.ts';
import { hasBucket, makeBucket } from './s3/bucket.ts';
import { connectS3, type S3Connection, type SdkWait } from './s3/client.ts';
import { Creation, type Condition } from './s3/creation.ts';
import { s3Error } from './s3/errors.ts';
import { objectsOf, uploadsOf } from './s3/listing.ts';
import { storeObject } from './s3/put.ts';
import { s3Options, type S3Options } from './s3/options.ts';
import { lockHeaders, s3Versions } from './s3/versions.ts';
import {
  transientCodes,
  type Capabilities,
  type GetOptions,
  type LeftoverOptions,
  type ObjectInfo,
  type PutOptions,
  type Storage,
  type WaitOptions,
} from './storage.ts';
import { isLockable, type ObjectLock, type Versions, type WrittenVersion } from './versions.ts';

/** Larger objects are stored in parts of this size. */
const partBytes = 256 * 1024 * 1024;

/** Nobody else repeats what opening does. */
const patience: RetryOptions = {
  attempts: 6,
  baseMs: 500,
  maxMs: 8000,
  jitter: 0.5,
  clock: systemClock,
  retryable: (error) => hasCode(error, ...transientCodes),
};

export interface S3Tuning {
  readonly partBytes: number;
}

/**
 * Opens a bucket, or a prefix of one, as a storage; `address` is what follows `s3:`. No request is made before the first object is asked for, except
 * with `create`, which makes the bucket where it is missing.
 */
export async function openS3(
  address: string,
  settings: DriverSettings,
  tuning: S3Tuning = { partBytes },
): Promise<Storage> {
  const storage = new S3Storage(parseS3Address(address), s3Options(settings), settings, tuning);
  if (settings.create) await retry(patience, () => storage.create());
  return storage;
}

/**
 * One object of S3 an object. A put is one request (or an upload in parts, which shows nothing before its last
 * request), so a crash leaves the whole object or none. The body is signed by its hash: what changed on the way is
 * refused by the server.
 */
class S3Storage implements Storage {
  readonly url: string;
  readonly capabilities: Capabilities;
  readonly versions: Versions;
  readonly archive: Archive;
  readonly #creation = new Creation();
  readonly #written = new Map<string, WrittenVersion>();
  readonly #address: S3Address;
  readonly #options: S3Options;
  readonly #settings: DriverSettings;
  readonly #tuning: S3Tuning;
  #connecting: Promise<S3Connection> | undefined;

  constructor(address: S3Address, options: S3Options, settings: DriverSettings, tuning: S3Tuning) {
    this.#address = address;
    this.#options = options;
    this.#settings = settings;
    this.#tuning = tuning;
    this.url = showS3Address(address);
    const { lock } = options;
    const creation = this.#creation;
    this.capabilities = {
      ownPrefixes: true,
      get conditionalCreate() {
        return creation.isAtomic;
      },
      lock: lock !== undefined,
      versions: lock !== undefined,
    };
    this.archive = s3Archive({
      wishes: options.thaw,
      object: (key) => this.#object(key),
      attempt: (doing, wait, task) => this.#attempt(doing, wait, task),
      list: (prefix, wait) => this.#list(prefix, wait),
    });
    this.versions = s3Versions({
      retention: lock,
      written: this.#written,
      bucket: address.bucket,
      prefix: address.prefix,
      download: settings.throttles.download,
      object: (key) => this.#object(key),
      attempt: (doing, wait, task) => this.#attempt(doing, wait, task),
      store: async (key, data, until, put) => {
        const version = await this.#store(key, data, put, until);
        if (version !== undefined) return version;
        throw new HoldfastError('unsupported', `${this.url} keeps no versions, so ${key} can't be locked there`);
      },
    });
  }

  async create(): Promise<void> {
    const { bucket } = this.#address;
    await this.#attempt('cannot make the bucket', {}, async (client) => {
      if (await hasBucket(client, bucket)) return;
      const { region } = await this.#connection();
      await makeBucket(client, bucket, { region, locks: this.#options.lock ? 'enabled' : 'none' });
    });
  }

  async put(key: string, data: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    const retention = isLockable(key) ? this.#options.lock : undefined;
    const untilNs = systemClock.nowNs() + BigInt(retention?.ms ?? 0) * 1_000_000n;
    const lock = retention && { mode: retention.mode, untilNs };
    const version = await this.#store(key, data, options, lock);
    if (lock && version !== undefined) this.#written.set(key, { ...lock, version });
  }

  async #store(
    key: string,
    data: readonly Uint8Array[],
    options: PutOptions,
    lock: ObjectLock | undefined,
  ): Promise<string | undefined> {
    const object = {
      ...this.#object(key),
      ...(lock && lockHeaders(lock)),
      ...attributesOf(this.#options, options),
    };
    const { upload: throttle } = this.#settings.throttles;
    const { signal } = options;
    const store = (condition: Condition): Promise<string | undefined> =>
      this.#attempt(`cannot store ${key}`, options, async (client, wait) =>
        storeObject(client, { ...object, ...condition }, data, { wait, throttle, signal, ...this.#tuning }),
      );
    if (!options.ifAbsent) return store({});
    return this.#creation.put(`${key} in ${this.url}`, store, () => this.stat(key, options));
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const object = this.#object(key);
    const { range } = options;
    const { download } = this.#settings.throttles;
    return this.#attempt(`cannot read ${key}`, options, async (client, wait) => {
      if (range?.length === 0) return this.#nothingOf(client, object, range.offset, wait);
      try {
        const answer = await client.send(new GetObjectCommand({ ...object, ...rangeOf(options) }), wait);
        return await receivedBody(answer, key, options, download);
      } catch (error) {
        throw range && error instanceof Error && error.name === 'InvalidRange' ? beyond(key, range) : error;
      }
    });
  }

  async stat(key: string, options: WaitOptions = {}): Promise<ObjectInfo> {
    const object = this.#object(key);
    return this.#attempt(`cannot find ${key}`, options, async (client, wait) => {
      const { ContentLength, LastModified } = await client.send(new HeadObjectCommand(object), wait);
      return infoOf(key, ContentLength, LastModified);
    });
  }

  async *list(prefix: string, options?: WaitOptions): AsyncGenerator<ObjectInfo> {
    for await (const { storageClass: _class, ...info } of this.#list(prefix, options)) yield info;
  }

  async *#list(prefix: string, options: WaitOptions = {}): AsyncGenerator<ListedClass> {
    checkPrefix(prefix);
    const doing = `cannot list ${prefix || 'all'}`;
    const place = { ...this.#bucket, Prefix: this.#address.prefix + prefix };
    const version = this.#options.listObjectsV1 ? 1 : 2;
    const { client } = await this.#attempt(doing, options, () => this.#connection());
    const objects = objectsOf(client, place, { version, wait: waitOf(options) });
    for (;;) {
      const next = await this.#attempt(doing, options, () => objects.next());
      if (next.done === true) return;
      const { Key, Size, LastModified, StorageClass: storageClass } = next.value;
      const key = prefix + keyBelow(place.Prefix, Key);
      // Others may have put there what no key of ours is, such as the consoles' folders.
      if (key.split('/').every(isSegment)) yield { ...infoOf(key, Size, LastModified), storageClass };
    }
  }

  async remove(key: string, options: WaitOptions = {}): Promise<void> {
    const object = this.#object(key);
    const as = isLockable(key) ? ({ as: 'remover' } as const) : {};
    await this.#attempt(`cannot remove ${key}`, { ...options, ...as }, async (client, wait) => {
      await client.send(new DeleteObjectCommand(object), wait);
    });
  }

  async removeLeftovers(before: bigint, options: LeftoverOptions = {}): Promise<number> {
    return this.#attempt('cannot remove leftovers', options, async (client, wait) => {
      let removed = 0;
      const place = { ...this.#bucket, Prefix: this.#address.prefix + (options.below ?? '') };
      for await (const { Key, UploadId, Initiated } of uploadsOf(client, place, wait)) {
        if (Initiated === undefined || nsOf(Initiated) >= before) continue;
        await client.send(new AbortMultipartUploadCommand({ ...this.#bucket, Key, UploadId }), wait);
        removed++;
      }
      return removed;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const connection = await this.#connecting?.catch(() => undefined); // whoever asked was told
    connection?.[Symbol.dispose]();
  }

  get #bucket(): { readonly Bucket: string } {
    return { Bucket: this.#address.bucket };
  }

  #object(key: string): { readonly Bucket: string; readonly Key: string } {
    checkKey(key);
    return { ...this.#bucket, Key: this.#address.prefix + key };
  }

  /** Connected once; a failure may pass, so the next call tries again. */
  async #connection(): Promise<S3Connection> {
    this.#connecting ??= connectS3(this.#address, this.#options, this.#settings);
    try {
      return await this.#connecting;
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
  }

  /** An empty part still has to lie within the object. */
  async #nothingOf(
    client: S3Client,
    object: { Bucket: string; Key: string },
    offset: number,
    wait: SdkWait,
  ): Promise<Uint8Array> {
    const { ContentLength } = await client.send(new HeadObjectCommand(object), wait);
    if (offset > told(ContentLength, 'a size')) throw beyond(object.Key, { offset, length: 0 });
    return new Uint8Array();
  }

  /** Makes requests; their errors come out with what they mean for the object. */
  async #attempt<T>(
    doing: string,
    options: WaitOptions & { readonly as?: 'remover' },
    task: (client: S3Client, wait: SdkWait) => Promise<T>,
  ): Promise<T> {
    const { signal } = options;
    signal?.throwIfAborted();
    const asked = async (): Promise<T> => {
      const { client, remover } = await this.#connection();
      return await task(options.as === 'remover' ? remover : client, waitOf(options));
    };
    try {
      return await orAborted(asked(), signal);
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      const meaning = s3Error(error, `${doing} in ${this.url}`);
      throw meaning.code === 'storage-not-found' ? await this.#absence(meaning, error) : meaning;
    }
  }

  /** An answer without words (to HEAD) doesn't say whether the object or the bucket is missing. */
  async #absence(meaning: HoldfastError, cause: unknown): Promise<HoldfastError> {
    const told = cause instanceof Error && cause.name !== 'NotFound';
    const { client } = await this.#connection();
    if (told || (await hasBucket(client, this.#address.bucket))) return meaning;
    return new HoldfastError('storage-missing', `there is no bucket ${this.#address.bucket}: ${meaning.message}`, {
      cause,
    });
  }
}

function waitOf({ signal }: WaitOptions): SdkWait {
  return signal ? { abortSignal: signal } : {};
}
