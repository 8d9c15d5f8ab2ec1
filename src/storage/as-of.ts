import { createHash } from 'node:crypto';
import { HoldfastError } from '../errors/error.ts';
import { orAborted } from '../flow/abort.ts';
import { checkKey, checkPrefix } from './keys.ts';
import type { Capabilities, GetOptions, ObjectInfo, Storage, WaitOptions } from './storage.ts';
import type { VersionInfo, Versions } from './versions.ts';

/** What an object may have been at the time: versions, newest first. */
type Candidates = readonly [VersionInfo, ...VersionInfo[]];

/**
 * A storage as it was at a time, to read only. An object is there if its newest version of then is no marker. Where it
 * had several, somebody wrote over it: for a name that is a hash (SHA-256) the version with that hash is taken, for
 * `config` the oldest that is locked, else the newest.
 */
export function asOfView(storage: Storage, timeNs: bigint): Storage {
  if (!storage.versions) {
    throw new HoldfastError('unsupported', `${storage.url} keeps no old versions, so it can't be shown as it was`);
  }
  return new AsOfStorage(storage, storage.versions, timeNs);
}

class AsOfStorage implements Storage {
  readonly url: string;
  readonly capabilities: Capabilities;
  readonly #inner: Storage;
  readonly #versions: Versions;
  readonly #timeNs: bigint;
  #index: Promise<ReadonlyMap<string, Candidates>> | undefined;
  readonly #chosen = new Map<string, Promise<VersionInfo>>();

  constructor(inner: Storage, versions: Versions, timeNs: bigint) {
    this.#inner = inner;
    this.#versions = versions;
    this.#timeNs = timeNs;
    this.url = inner.url;
    this.capabilities = { ...inner.capabilities, conditionalCreate: false, lock: false, versions: false };
  }

  async put(key: string): Promise<void> {
    throw this.#readOnly(`cannot store ${key}`);
  }

  async remove(key: string): Promise<void> {
    throw this.#readOnly(`cannot remove ${key}`);
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { version } = await this.#choose(key, options);
    return await this.#versions.get(key, version, options);
  }

  async stat(key: string, options: WaitOptions = {}): Promise<ObjectInfo> {
    return infoOf(await this.#choose(key, options));
  }

  async *list(prefix: string, options: WaitOptions = {}): AsyncGenerator<ObjectInfo> {
    checkPrefix(prefix);
    for (const key of (await this.#all(options)).keys())
      if (key.startsWith(prefix)) yield infoOf(await this.#choose(key, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  #readOnly(doing: string): HoldfastError {
    return new HoldfastError('storage-read-only', `${doing}: ${this.url} is shown as it was at an earlier time`);
  }

  async #choose(key: string, options: WaitOptions): Promise<VersionInfo> {
    checkKey(key);
    const candidates = (await this.#all(options)).get(key);
    if (!candidates) throw new HoldfastError('storage-not-found', `${key} was not in ${this.url} then`);
    let choice = this.#chosen.get(key);
    if (!choice) {
      choice = this.#right(key, candidates, options);
      this.#chosen.set(key, choice);
      choice.catch(() => this.#chosen.delete(key)); // the next who asks tries again
    }
    return await choice;
  }

  async #right(key: string, candidates: Candidates, options: WaitOptions): Promise<VersionInfo> {
    const [newest] = candidates;
    if (candidates.length === 1) return newest;
    if (key === 'config') return (await this.#oldestLocked(candidates, options)) ?? newest;
    const name = key.slice(key.lastIndexOf('/') + 1);
    if (!/^[0-9a-f]{64}$/.test(name)) return newest;
    for (const candidate of candidates) {
      const bytes = await this.#versions.get(key, candidate.version, options);
      if (createHash('sha256').update(bytes).digest('hex') === name) return candidate;
    }
    return newest;
  }

  async #oldestLocked(candidates: Candidates, options: WaitOptions): Promise<VersionInfo | undefined> {
    for (const candidate of candidates.toReversed())
      if (await this.#versions.lockOf(candidate.key, candidate.version, options)) return candidate;
    return undefined;
  }

  async #all({ signal }: WaitOptions): Promise<ReadonlyMap<string, Candidates>> {
    const index = this.#index ?? this.#begin();
    return await orAborted(index, signal);
  }

  /** Whoever waits may give up; the list goes on for the others. */
  async #begin(): Promise<ReadonlyMap<string, Candidates>> {
    this.#index ??= this.#read();
    try {
      return await this.#index;
    } catch (error) {
      this.#index = undefined;
      throw error;
    }
  }

  async #read(): Promise<ReadonlyMap<string, Candidates>> {
    const found = new Map<string, Candidates>();
    const hidden = new Set<string>();
    for await (const version of this.#versions.list('')) {
      const { key, modifiedNs, deleted } = version;
      if (modifiedNs > this.#timeNs) continue;
      const known = found.get(key);
      if (deleted && !known) hidden.add(key);
      else if (!deleted && !hidden.has(key)) found.set(key, known ? [...known, version] : [version]);
    }
    return found;
  }
}

function infoOf({ key, sizeBytes, modifiedNs }: VersionInfo): ObjectInfo {
  return { key, sizeBytes, modifiedNs };
}
