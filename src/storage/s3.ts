import { AbortMultipartUploadCommand, DeleteObjectCommand, GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { systemClock } from '../clock/clock.ts';
import { hasCode, HoldfastError } from '../errors/error.ts';
import { retry, type RetryOptions } from '../flow/retry.ts';
import { isSegment, checkPrefix } from './keys.ts';
import type { DriverSettings } from './driver.ts';
import type { Archive } from './archive.ts';
import { parseS3Address } from './s3/address.ts';
import { s3Archive, type ListedClass } from './s3/archive.ts';
import { attributesOf } from './s3/attributes.ts';
import { infoOf, keyBelow, nsOf, told } from './s3/answers.ts';
import { beyond, rangeOf, receivedBody } from './s3/body.ts';
import type { SdkWait } from './s3/client.ts';
import { Creation, type Condition } from './s3/creation.ts';
import { headObject } from './s3/head.ts';
import { objectsOf, uploadsOf, type Ask } from './s3/listing.ts';
import { Digests, storeObject } from './s3/put.ts';
import { s3Options, type S3Options } from './s3/options.ts';
import { S3Requests } from './s3/requests.ts';
import { s3Setup } from './s3/setup.ts';
import { lockHeaders, s3Versions } from './s3/versions.ts';
import type { BucketSetup } from './setup.ts';
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
import type { Throttles } from './throttle.ts';
import { isLockable, type ObjectLock, type Versions, type WrittenVersion } from './versions.ts';

const usual: S3Tuning = { partBytes: 256 * 1024 * 1024, answerMs: 30_000 };

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
  /** Larger objects are stored in parts of this size. */
  readonly partBytes: number;
  /** How long the server may take to tell the bucket's region. */
  readonly answerMs: number;
}

/**
 * Opens a bucket, or a prefix of one, as a storage; `address` is what follows `s3:`. No request is made before the first object is
 * asked for, except with `create`, which makes the bucket where it is missing.
 */
export async function openS3(
  address: string,
  settings: DriverSettings,
  tuning: Partial<S3Tuning> = {},
): Promise<Storage> {
  const { partBytes, answerMs } = { ...usual, ...tuning };
  const options = s3Options(settings);
  const requests = new S3Requests({ address: parseS3Address(address), options, settings, answerMs });
  try {
    const wait = settings.opening ? { signal: settings.opening } : {};
    if (settings.create) await retry({ ...patience, ...wait }, () => requests.create(wait));
    return new S3Storage(requests, options, settings, partBytes);
  } catch (error) {
    await requests[Symbol.asyncDispose]();
    throw error;
  }
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
  readonly setup: BucketSetup;
  readonly archive: Archive;
  readonly #creation = new Creation();
  readonly #digests = new Digests();
  readonly #written = new Map<string, WrittenVersion>();
  readonly #hidden = new Set<string>();
  readonly #requests: S3Requests;
  readonly #options: S3Options;
  readonly #throttles: Throttles;
  readonly #partBytes: number;

  constructor(requests: S3Requests, options: S3Options, { throttles }: DriverSettings, partBytes: number) {
    this.#requests = requests;
    this.#options = options;
    this.#throttles = throttles;
    this.#partBytes = partBytes;
    this.url = requests.url;
    const { lock } = options;
    const creation = this.#creation;
    this.capabilities = {
      ownPrefixes: true,
      get conditionalCreate() {
        return creation.isAtomic;
      },
      checksPuts: true,
      lock: lock !== undefined,
      versions: lock !== undefined,
    };
    this.archive = s3Archive({
      wishes: options.thaw,
      requests,
      list: (prefix, wait) => this.#list(prefix, wait),
    });
    this.setup = s3Setup(requests);
    this.versions = s3Versions({
      retention: lock,
      written: this.#written,
      hidden: this.#hidden,
      requests,
      download: throttles.download,
      store: async (key, data, until, put) => {
        const version = await this.#store(key, data, put, until);
        if (version !== undefined) return version;
        throw new HoldfastError('unsupported', `${this.url} keeps no versions, so ${key} can't be locked there`);
      },
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
      ...this.#requests.object(key),
      ...(lock && lockHeaders(lock)),
      ...attributesOf(this.#options, options),
    };
    const { upload: throttle } = this.#throttles;
    const way = { throttle, partBytes: this.#partBytes, digests: this.#digests };
    const store = (condition: Condition): Promise<string | undefined> =>
      this.#requests.attempt(`cannot store ${key}`, options, async (client, wait) =>
        storeObject(client, { ...object, ...condition }, data, { ...way, wait }),
      );
    if (!options.ifAbsent) return store({});
    return this.#creation.put(`${key} in ${this.url}`, store, () => this.stat(key, options));
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const object = this.#requests.object(key);
    const { range } = options;
    const { download } = this.#throttles;
    return this.#requests.attempt(`cannot read ${key}`, options, async (client, wait) => {
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
    const object = this.#requests.object(key);
    return this.#requests.attempt(`cannot find ${key}`, options, async (client, wait) => {
      const { ContentLength, LastModified } = await headObject(client, object, wait);
      return infoOf(key, ContentLength, LastModified);
    });
  }

  async *list(prefix: string, options?: WaitOptions): AsyncGenerator<ObjectInfo> {
    for await (const { storageClass: _class, ...info } of this.#list(prefix, options)) yield info;
  }

  async *#list(prefix: string, options: WaitOptions = {}): AsyncGenerator<ListedClass> {
    checkPrefix(prefix);
    const doing = `cannot list ${prefix || 'all'}`;
    const place = { ...this.#requests.bucket, Prefix: this.#requests.prefix + prefix };
    const version = this.#options.listObjectsV1 ? 1 : 2;
    const ask: Ask = (task) => this.#requests.attempt(doing, options, task);
    for await (const { Key, Size, LastModified, StorageClass: storageClass } of objectsOf(ask, place, version)) {
      const key = prefix + keyBelow(place.Prefix, Key);
      // Others may have put there what no key of ours is, such as the consoles' folders.
      if (key.split('/').every(isSegment)) yield { ...infoOf(key, Size, LastModified), storageClass };
    }
  }

  async remove(key: string, options: WaitOptions = {}): Promise<void> {
    const object = this.#requests.object(key);
    const as = isLockable(key) ? ({ as: 'remover' } as const) : {};
    await this.#requests.attempt(`cannot remove ${key}`, { ...options, ...as }, async (client, wait) => {
      const { DeleteMarker } = await client.send(new DeleteObjectCommand(object), wait);
      if (DeleteMarker) this.#hidden.add(key);
    });
  }

  async removeLeftovers(before: bigint, options: LeftoverOptions = {}): Promise<number> {
    return this.#requests.attempt('cannot remove leftovers', options, async (client, wait) => {
      let removed = 0;
      const place = { ...this.#requests.bucket, Prefix: this.#requests.prefix + (options.below ?? '') };
      for await (const { Key, UploadId, Initiated } of uploadsOf(client, place, wait)) {
        if (Initiated === undefined || nsOf(Initiated) >= before) continue;
        await client.send(new AbortMultipartUploadCommand({ ...this.#requests.bucket, Key, UploadId }), wait);
        removed++;
      }
      return removed;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#requests[Symbol.asyncDispose]();
  }

  /** An empty part still has to lie within the object. */
  async #nothingOf(
    client: S3Client,
    object: { Bucket: string; Key: string },
    offset: number,
    wait: SdkWait,
  ): Promise<Uint8Array> {
    const { ContentLength } = await headObject(client, object, wait);
    if (offset > told(ContentLength, 'a size')) throw beyond(object.Key, { offset, length: 0 });
    return new Uint8Array();
  }
}
