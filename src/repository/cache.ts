import { closeSync, openSync } from 'node:fs';
import type { FileId } from '../bytes/ids.ts';
import { fileIdFor } from '../crypto/id.ts';
import { hasCode } from '../errors/error.ts';
import { errorCode } from '../host/system-error.ts';
import type { GetOptions, ObjectInfo, PutOptions, Storage, WaitOptions } from '../storage/storage.ts';
import { idOf, keyOf } from './layout.ts';
import { readAt } from './pipeline/source-file.ts';

type Range = NonNullable<GetOptions['range']>;

const readNowBytes = 2 ** 20;

/** A pack with trees that is larger is read in parts and not kept: restic's have at most 128 MiB and one blob. */
const maxPackBytes = 256 * 1024 * 1024;

/**
 * A storage whose index and snapshot files, and packs with trees, are kept in a second storage nearby. What is kept
 * is used only when its hash is its name; what the far storage doesn't list any more is dropped. Trouble with the
 * near storage never fails an operation: it is told once, and the far storage answers.
 */
export class CachedStorage implements Storage {
  readonly #far: Storage;
  readonly #near: Storage;
  readonly #onTrouble: (error: unknown) => void;
  readonly #treePacks = new Set<string>();
  /** Packs that were hashed since they were opened: single blobs of them carry hashes of their own. */
  readonly #hashed = new Set<string>();
  readonly #fetching = new Map<string, Promise<Uint8Array>>();
  #troubled = false;

  constructor(far: Storage, near: Storage, onTrouble: (error: unknown) => void) {
    this.#far = far;
    this.#near = near;
    this.#onTrouble = onTrouble;
  }

  get url(): string {
    return this.#far.url;
  }

  get capabilities(): Storage['capabilities'] {
    return this.#far.capabilities;
  }

  get versions(): Storage['versions'] {
    return this.#far.versions;
  }

  get archive(): Storage['archive'] {
    return this.#far.archive;
  }

  /** Packs that hold trees, as the index says: from now on they are kept, and no other. */
  async keepPacks(packs: Iterable<FileId>): Promise<void> {
    this.#treePacks.clear();
    for (const pack of packs) this.#treePacks.add(keyOf('data', pack));
    await this.#dropUnlisted('data/', this.#treePacks);
  }

  /** What was kept turned out to be wrong. */
  async forget(key: string): Promise<void> {
    this.#hashed.delete(key);
    await this.#try(() => this.#near.remove(key));
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    if (!this.#isKept(key)) return this.#far.get(key, options);
    if (options.range && this.#hashed.has(key)) {
      const bytes = this.#readNow(key, options.range) ?? (await this.#try(() => this.#near.get(key, options)));
      if (bytes) return bytes;
    }
    const whole = options.range ? await this.#wholePack(key, options) : await this.#whole(key, options);
    if (whole === undefined) return this.#far.get(key, options);
    const { offset, length } = options.range ?? { offset: 0, length: whole.length };
    if (offset + length > whole.length) return this.#far.get(key, options);
    return whole.subarray(offset, offset + length);
  }

  async put(key: string, data: readonly Uint8Array[], options?: PutOptions): Promise<void> {
    await this.#far.put(key, data, options);
    // What the next backup reads first: the trees that this one wrote.
    if (key.startsWith('data/') && options?.rarelyRead !== true) this.#treePacks.add(key);
    if (this.#isKept(key)) await this.#try(() => this.#near.put(key, data));
  }

  /** For packs of data, which are never kept. */
  get stage(): Storage['stage'] {
    return this.#far.stage?.bind(this.#far);
  }

  async remove(key: string, options?: WaitOptions): Promise<void> {
    if (this.#isKept(key)) await this.forget(key);
    await this.#far.remove(key, options);
  }

  get removeLeftovers(): Storage['removeLeftovers'] {
    return this.#far.removeLeftovers?.bind(this.#far);
  }

  stat: Storage['stat'] = async (key, options) => this.#far.stat(key, options);

  async *list(prefix: string, options?: WaitOptions): AsyncGenerator<ObjectInfo> {
    const listed = new Set<string>();
    const evicts = prefix === 'index/' || prefix === 'snapshots/';
    for await (const info of this.#far.list(prefix, options)) {
      if (evicts) listed.add(info.key);
      yield info;
    }
    if (evicts) await this.#dropUnlisted(prefix, listed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#near[Symbol.asyncDispose]();
    await this.#far[Symbol.asyncDispose]();
  }

  #isKept(key: string): boolean {
    return key.startsWith('index/') || key.startsWith('snapshots/') || this.#treePacks.has(key);
  }

  /** undefined when it is too large to be kept, or damaged: then parts of it may do. */
  async #wholePack(key: string, { signal }: GetOptions): Promise<Uint8Array | undefined> {
    try {
      return await this.#whole(key, { maxBytes: maxPackBytes, ...(signal && { signal }) });
    } catch (error) {
      if (!hasCode(error, 'damaged')) throw error;
      this.#treePacks.delete(key);
      return undefined;
    }
  }

  /** A few KiB of a file nearby come sooner than a thread is asked for them; undefined where they don't. */
  #readNow(key: string, { offset, length }: Range): Uint8Array | undefined {
    const path = length > readNowBytes ? undefined : this.#near.capabilities.localPath?.(key);
    if (path === undefined) return undefined;
    try {
      const fd = openSync(path, 'r');
      try {
        const bytes = Buffer.allocUnsafe(length);
        return readAt(fd, bytes, length, offset) === length ? bytes : undefined;
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return undefined; // asked for in the usual way, which tells what is wrong
    }
  }

  /** Several that ask at once share one transfer. */
  async #whole(key: string, options: GetOptions): Promise<Uint8Array> {
    const fetching = this.#fetching.get(key) ?? this.#fetch(key, options);
    this.#fetching.set(key, fetching);
    try {
      return await fetching;
    } finally {
      this.#fetching.delete(key);
    }
  }

  async #fetch(key: string, options: GetOptions): Promise<Uint8Array> {
    const kept = await this.#try(() => this.#near.get(key));
    if (kept && isNamed(key, kept)) return this.#hashedNow(key, kept);
    const bytes = await this.#far.get(key, options);
    if (!isNamed(key, bytes)) return bytes;
    const stored = await this.#try(async () => this.#near.put(key, [bytes]).then(() => true));
    return stored ? this.#hashedNow(key, bytes) : bytes;
  }

  #hashedNow(key: string, bytes: Uint8Array): Uint8Array {
    if (this.#treePacks.has(key)) this.#hashed.add(key);
    return bytes;
  }

  async #dropUnlisted(prefix: string, listed: ReadonlySet<string>): Promise<void> {
    await this.#try(async () => {
      for await (const { key } of this.#near.list(prefix)) if (!listed.has(key)) await this.forget(key);
    });
  }

  /** undefined when the near storage fails, which is told once unless the object just isn't there. */
  async #try<T>(use: () => Promise<T>): Promise<T | undefined> {
    try {
      return await use();
    } catch (error) {
      const missing = hasCode(error, 'storage-not-found');
      if (!missing && !this.#troubled) this.#onTrouble(error);
      this.#troubled ||= !missing;
      return undefined;
    }
  }
}

function isNamed(key: string, bytes: Uint8Array): boolean {
  return fileIdFor(bytes) === idOf(key);
}
