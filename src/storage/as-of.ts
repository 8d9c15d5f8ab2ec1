import { createHash } from 'node:crypto';
import { HoldfastError } from '../errors/error.ts';
import { orAborted } from '../flow/abort.ts';
import { checkKey, checkPrefix } from './keys.ts';
import { mostObjectBytes } from './size-limit.ts';
import type { Capabilities, GetOptions, ObjectInfo, Storage, WaitOptions } from './storage.ts';
import { byObject, type VersionInfo, type Versions } from './versions.ts';

/**
 * A storage as it was at a time, to read only. An object is there if its newest version of then is no marker. Where it
 * had several, somebody wrote over it: for a name that is a hash (SHA-256) the version with that hash is taken, for
 * `config` the oldest that is locked, else the newest.
 */
export function asOfView(storage: Storage, timeNs: bigint): Storage {
  return new AsOfStorage(storage, versionsOf(storage), timeNs);
}

/** 'unsupported' where a storage has no memory of what it held. */
export function versionsOf({ versions, url }: Storage): Versions {
  if (versions) return versions;
  throw new HoldfastError('unsupported', `${url} keeps no old versions, so it can't be shown as it was`);
}

/** What an object may have been at the time: versions, newest first; none where it wasn't there. */
export function candidatesAt(object: readonly VersionInfo[], timeNs: bigint): readonly VersionInfo[] {
  const until = object.filter(({ modifiedNs }) => modifiedNs <= timeNs);
  return until[0]?.deleted === false ? until.filter(({ deleted }) => !deleted) : [];
}

/** The one of several that counts; undefined where the object is named by a hash that none of them has. */
export async function rightVersion(
  versions: Versions,
  candidates: readonly VersionInfo[],
  options: WaitOptions,
): Promise<VersionInfo | undefined> {
  const [newest] = candidates;
  if (newest === undefined || candidates.length === 1) return newest;
  if (newest.key === 'config') return (await oldestLocked(versions, candidates, options)) ?? newest;
  const name = newest.key.slice(newest.key.lastIndexOf('/') + 1);
  if (!/^[0-9a-f]{64}$/.test(name)) return newest;
  return await versionNamed(versions, candidates, options);
}

/** The first of an object's versions whose hash is its name; each sum is judged once. */
export async function versionNamed(
  versions: Versions,
  candidates: readonly VersionInfo[],
  options: WaitOptions,
): Promise<VersionInfo | undefined> {
  const wrong = new Set<string>();
  for (const candidate of candidates) {
    const { key, sum = candidate.version } = candidate;
    if (wrong.has(sum) || candidate.sizeBytes > mostObjectBytes) continue;
    if (key.endsWith(`/${await hashOf(versions, candidate, options)}`)) return candidate;
    wrong.add(sum);
  }
  return undefined;
}

/** Undefined where none is. */
export async function oldestLocked(
  versions: Versions,
  candidates: readonly VersionInfo[],
  options: WaitOptions,
): Promise<VersionInfo | undefined> {
  for (const candidate of candidates.toReversed())
    if (await versions.lockOf(candidate.key, candidate.version, options)) return candidate;
  return undefined;
}

/** What somebody wrote over an object may have any size: it is never held whole. */
const hashedAtOnceBytes = 32 * 1024 * 1024;

/** SHA-256 of what a version holds, in hex. */
export async function hashOf(
  versions: Versions,
  { key, version, sizeBytes }: VersionInfo,
  options: WaitOptions,
): Promise<string> {
  const hash = createHash('sha256');
  for (let offset = 0; offset < sizeBytes; offset += hashedAtOnceBytes) {
    const range = { offset, length: Math.min(hashedAtOnceBytes, sizeBytes - offset) };
    hash.update(await versions.get(key, version, { ...options, range }));
  }
  return hash.digest('hex');
}

/** What there was of objects whose keys begin alike. */
type Index = ReadonlyMap<string, readonly VersionInfo[]>;

class AsOfStorage implements Storage {
  readonly url: string;
  readonly capabilities: Capabilities;
  readonly #inner: Storage;
  readonly #versions: Versions;
  readonly #timeNs: bigint;
  /** By folder: who opens a repository needs no list of its packs. */
  readonly #indexes = new Map<string, Promise<Index>>();
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
    for (const key of (await this.#all(folderOf(prefix), options)).keys())
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
    const candidates = (await this.#all(folderOf(key), options)).get(key) ?? [];
    let choice = this.#chosen.get(key);
    if (!choice) {
      choice = this.#right(key, candidates, options);
      this.#chosen.set(key, choice);
      choice.catch(() => this.#chosen.delete(key)); // the next who asks tries again
    }
    return await choice;
  }

  async #right(key: string, candidates: readonly VersionInfo[], options: WaitOptions): Promise<VersionInfo> {
    const right = (await rightVersion(this.#versions, candidates, options)) ?? candidates[0];
    if (right) return right;
    throw new HoldfastError('storage-not-found', `${key} was not in ${this.url} then`);
  }

  async #all(folder: string, { signal }: WaitOptions): Promise<Index> {
    const index = this.#indexes.get(folder) ?? this.#begin(folder);
    return await orAborted(index, signal);
  }

  /** Whoever waits may give up; the list goes on for the others. */
  async #begin(folder: string): Promise<Index> {
    const index = this.#read(folder);
    this.#indexes.set(folder, index);
    try {
      return await index;
    } catch (error) {
      this.#indexes.delete(folder);
      throw error;
    }
  }

  async #read(folder: string): Promise<Index> {
    const found = new Map<string, readonly VersionInfo[]>();
    for await (const object of byObject(this.#versions.list(folder))) {
      const candidates = candidatesAt(object, this.#timeNs);
      if (candidates.length > 0) found.set(object[0].key, candidates);
    }
    return found;
  }
}

/** Up to its first '/', or all of a key that has none. */
function folderOf(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? key : key.slice(0, slash + 1);
}

function infoOf({ key, sizeBytes, modifiedNs }: VersionInfo): ObjectInfo {
  return { key, sizeBytes, modifiedNs };
}
