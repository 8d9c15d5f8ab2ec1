import { posix } from 'node:path';
import { hasCode, HoldfastError } from '../../errors/error.ts';
import { orAborted } from '../../flow/abort.ts';
import { begun } from '../../flow/stall.ts';
import { checkKey, checkPrefix } from '../keys.ts';
import { mostObjectBytes } from '../size-limit.ts';
import type {
  Capabilities,
  GetOptions,
  LeftoverOptions,
  ObjectInfo,
  PutOptions,
  Storage,
  WaitOptions,
} from '../storage.ts';
import type { Throttles } from '../throttle.ts';
import type { SftpClient } from './client.ts';
import {
  isFile,
  isFolder,
  makeFolders,
  removeEmptyFolders,
  syncFolder,
  temporaryPrefix,
  walk,
  type Found,
} from './folders.ts';
import { putFile, type Modes } from './put.ts';
import type { Session } from './session.ts';
import { hasStatus, statusCodes } from './status.ts';
import { readAll } from './transfer.ts';

export interface SftpPlace {
  readonly session: Session;
  readonly root: string;
  /** For people. */
  readonly url: string;
  readonly throttles: Throttles;
}

interface AttemptOptions extends WaitOptions {
  /** What a missing file means where that isn't simply 'storage-not-found'. */
  readonly ifGone?: 'storage-failed';
}

/** A folder on another machine, one file an object, as in a local one. */
export class SftpStorage implements Storage {
  readonly url: string;
  readonly capabilities: Capabilities;
  readonly #place: SftpPlace;
  readonly #modes: Modes;

  private constructor(place: SftpPlace, modes: Modes, conditionalCreate: boolean) {
    this.url = place.url;
    this.#place = place;
    this.#modes = modes;
    this.capabilities = { ownPrefixes: true, conditionalCreate, lock: false, versions: false };
  }

  /** Connects. A missing folder is made only on demand: it may be a disk that isn't mounted. */
  static async open(
    place: SftpPlace,
    whenMissing: 'create' | 'refuse',
    signal: AbortSignal | undefined,
  ): Promise<SftpStorage> {
    try {
      return await orAborted(SftpStorage.#begun(place, whenMissing), signal);
    } catch (error) {
      await place.session.drop(error);
      if (signal?.aborted) throw error;
      throw meaningOf(error, `cannot open ${place.url}`, 'storage-missing');
    }
  }

  static async #begun(place: SftpPlace, whenMissing: 'create' | 'refuse'): Promise<SftpStorage> {
    const client = await place.session.client();
    if (whenMissing === 'create') await makeFolders(client, place.root, 0o700);
    if (!isFolder(await client.stat(place.root))) throw new HoldfastError('storage-missing', 'it is not a folder');
    return new SftpStorage(place, await modesOf(client, place.root), client.has('hardlink'));
  }

  async put(key: string, data: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    const path = this.#path(key);
    const whenThere = options.ifAbsent ? 'refuse' : 'replace';
    const pace = { throttle: this.#place.throttles.upload, signal: options.signal };
    await this.#attempt(`cannot store ${key}`, { ...options, ifGone: 'storage-failed' }, async (client) => {
      await this.#assertRoot(client);
      const outcome = await putFile(client, { ...pace, path, data, whenThere, modes: this.#modes });
      if (outcome === 'taken') throw new HoldfastError('storage-exists', `${key} is there already`);
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const path = this.#path(key);
    return this.#attempt(`cannot read ${key}`, options, async (client) => {
      const handle = await client.openForReading(path);
      try {
        return await this.#read(client, handle, options);
      } finally {
        await client.close(handle);
      }
    });
  }

  async stat(key: string, options: WaitOptions = {}): Promise<ObjectInfo> {
    const path = this.#path(key);
    return this.#attempt(`cannot find ${key}`, options, async (client) => {
      const attributes = await client.stat(path);
      if (!isFile(attributes)) throw new HoldfastError('storage-not-found', 'it is not a file');
      return infoOf(key, attributes);
    });
  }

  async *list(prefix: string, options: WaitOptions = {}): AsyncGenerator<ObjectInfo, void> {
    checkPrefix(prefix);
    const doing = `cannot list ${prefix || 'all'}`;
    const files = await this.#attempt(doing, options, async (client) => {
      await this.#assertRoot(client);
      return walk(client, posix.join(this.#place.root, prefix));
    });
    for (;;) {
      const next = await this.#attempt(doing, options, () => files.next());
      if (next.done === true) break;
      yield infoOf(prefix + next.value.path, next.value.attributes);
    }
    // Had it gone meanwhile, folders would have looked empty.
    await this.#attempt(doing, options, async (client) => this.#assertRoot(client));
  }

  async remove(key: string, options: WaitOptions = {}): Promise<void> {
    const path = this.#path(key);
    await this.#attempt(`cannot remove ${key}`, options, async (client) => {
      await client.remove(path);
      await syncFolder(client, posix.dirname(path));
    });
  }

  async removeLeftovers(before: bigint, options: LeftoverOptions = {}): Promise<number> {
    const { below } = options;
    if (below !== undefined) checkPrefix(below);
    const folder = posix.join(this.#place.root, below ?? '');
    return this.#attempt('cannot remove leftovers', options, async (client) => {
      let removed = 0;
      const leftovers = walk(client, folder, (name) => name.startsWith(temporaryPrefix));
      for await (const { path, attributes } of leftovers) {
        options.signal?.throwIfAborted();
        if (nanoseconds(attributes.modifiedSeconds ?? 0) >= before) continue;
        await client.remove(posix.join(folder, path));
        removed++;
      }
      if (below !== undefined) await removeEmptyFolders(client, folder);
      return removed;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place.session.drop(new HoldfastError('storage-failed', `${this.url} was closed`));
  }

  #path(key: string): string {
    checkKey(key);
    return posix.join(this.#place.root, key);
  }

  async #read(client: SftpClient, handle: Uint8Array, options: GetOptions): Promise<Uint8Array> {
    const range = options.range ?? { offset: 0, length: await this.#wholeOf(client, handle, options) };
    const pace = { throttle: this.#place.throttles.download, signal: options.signal };
    const bytes = await readAll(client, handle, range, pace);
    if (bytes.length === range.length) return bytes;
    throw new HoldfastError('damaged', `it ends before byte ${range.offset + range.length}`);
  }

  async #wholeOf(client: SftpClient, handle: Uint8Array, { maxBytes = mostObjectBytes }: GetOptions): Promise<number> {
    const attributes = await client.statOpen(handle);
    const { sizeBytes = 0 } = attributes;
    if (!isFile(attributes)) throw new HoldfastError('storage-not-found', 'it is not a file');
    if (sizeBytes <= maxBytes) return sizeBytes;
    throw new HoldfastError('damaged', `it has ${sizeBytes} bytes, more than the ${maxBytes} it can have`);
  }

  async #assertRoot(client: SftpClient): Promise<void> {
    try {
      await client.stat(this.#place.root);
    } catch (error) {
      if (!hasStatus(error, statusCodes.noSuchFile)) throw error;
      throw new HoldfastError('storage-missing', 'its folder is gone: was something unmounted?', { cause: error });
    }
  }

  /** Asks the server; its refusals come out with what they mean for the object. */
  async #attempt<T>(
    doing: string,
    { signal, ifGone }: AttemptOptions,
    task: (client: SftpClient) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    begun(signal);
    try {
      return await orAborted(this.#place.session.client().then(task), signal);
    } catch (error) {
      if (signal?.aborted) throw await this.#givenUp(signal.reason);
      const meaning = meaningOf(error, `${doing} in ${this.url}`, ifGone);
      if (meaning.code === 'storage-not-found') await this.#attempt(doing, {}, (client) => this.#assertRoot(client));
      throw meaning;
    }
  }

  /** A connection that doesn't answer in time would not answer the next time either. */
  async #givenUp(reason: unknown): Promise<unknown> {
    if (hasCode(reason, 'storage-timeout')) await this.#place.session.drop(reason);
    return reason;
  }
}

function infoOf(key: string, { sizeBytes = 0, modifiedSeconds }: Found['attributes']): ObjectInfo {
  return {
    key,
    sizeBytes,
    ...(modifiedSeconds !== undefined && { modifiedNs: nanoseconds(modifiedSeconds) }),
  };
}

function nanoseconds(seconds: number): bigint {
  return BigInt(seconds) * 1_000_000_000n;
}

/** As restic does it: who opened `config` to the group wants to share the whole repository with it. */
async function modesOf(client: SftpClient, root: string): Promise<Modes> {
  const config = await client.stat(posix.join(root, 'config')).catch(() => undefined); // whatever is wrong: not shared
  return ((config?.mode ?? 0) & 0o040) !== 0 ? { file: 0o440, folder: 0o770 } : { file: 0o400, folder: 0o700 };
}

function meaningOf(error: unknown, doing: string, ifGone?: 'storage-failed' | 'storage-missing'): HoldfastError {
  if (!(error instanceof HoldfastError)) return new HoldfastError('storage-failed', doing, { cause: error });
  const code = error.code === 'storage-not-found' && ifGone ? ifGone : error.code;
  return new HoldfastError(code, `${doing}: ${error.message}`, { cause: error, next: nextOf(error, code) });
}

/** The advice of an error that was made with one of its own. */
function nextOf(error: HoldfastError, code: HoldfastError['code']): string {
  return code === error.code ? error.next : new HoldfastError(code, '').next;
}
