import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, rename, rm, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ErrorCode } from '../errors/codes.ts';
import { HoldfastError } from '../errors/error.ts';
import { orAborted } from '../flow/abort.ts';
import { checkKey, checkPrefix } from './keys.ts';
import { assertWithin } from './size-limit.ts';
import { errnoOf, storageError } from './local/errors.ts';
import { Folders, removeEmptyFolders } from './local/folders.ts';
import {
  checkRoot,
  createRoot,
  findRoot,
  fileSystemOf,
  modesOf,
  type FileSystem,
  type Modes,
  type Root,
} from './local/root.ts';
import { StagedFile, type StagedFileHost } from './local/staged.ts';
import { syncFile, syncFolder } from '../host/lasting.ts';
import { ignoring } from './local/ignoring.ts';
import { temporaryPrefix, walkObjects, walkTemporaries } from './local/walk.ts';
import type {
  Capabilities,
  GetOptions,
  LeftoverOptions,
  ObjectInfo,
  PutOptions,
  StagedObject,
  Storage,
  WaitOptions,
} from './storage.ts';

/**
 * Opens a folder as a storage. Only `create` makes the folder: one that is missing may be a disk that isn't mounted.
 */
export async function openLocal(path: string, options: { readonly create?: true } = {}): Promise<Storage> {
  const absolute = resolve(path);
  if (options.create) await createRoot(absolute);
  const root = await findRoot(absolute);
  return new LocalStorage(root, await modesOf(absolute), await fileSystemOf(absolute));
}

interface AttemptOptions extends WaitOptions {
  /** What a missing file or folder means where that isn't simply 'storage-not-found'. */
  readonly ifGone?: ErrorCode;
}

/**
 * One file an object. A put writes a file of a name that no key has, in the same folder, syncs it, renames it (links
 * it, for `ifAbsent`) and syncs the folder: a crash before the rename leaves that file alone, invisible to `list`
 * and removed by `removeLeftovers`; a crash after it leaves the whole object.
 */
class LocalStorage implements Storage {
  readonly url: string;
  readonly capabilities: Capabilities;
  readonly #root: Root;
  readonly #modes: Modes;
  readonly #folders: Folders;

  constructor(root: Root, modes: Modes, { hasHardLinks, isOwn }: FileSystem) {
    this.url = root.path;
    this.#root = root;
    this.#modes = modes;
    this.#folders = new Folders(root.path, modes.folder);
    this.capabilities = {
      ownPrefixes: true,
      conditionalCreate: hasHardLinks,
      lock: false,
      versions: false,
      ...(isOwn && { listsAtOnce: true as const }),
      localPath: (key) => this.#path(key),
    };
  }

  async put(key: string, data: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    await this.#attempt(`cannot store ${key}`, { ...options, ifGone: 'storage-failed' }, async () => {
      const path = this.#path(key);
      await checkRoot(this.#root);
      const temporary = await this.#write(dirname(path), data);
      try {
        options.signal?.throwIfAborted(); // whoever gave up may have gone on: nothing appears any more
        await (options.ifAbsent ? this.#create(temporary, path, key) : rename(temporary, path));
      } catch (error) {
        await discard(temporary);
        throw error;
      }
      await syncFolder(dirname(path));
      await checkRoot(this.#root);
    });
  }

  async stage(options: WaitOptions = {}): Promise<StagedObject> {
    return this.#attempt('cannot store an object', { ...options, ifGone: 'storage-failed' }, async () => {
      await checkRoot(this.#root);
      return StagedFile.create(this.#staging, join(this.#root.path, `${temporaryPrefix}${randomUUID()}`));
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return this.#attempt(`cannot read ${key}`, options, async () => {
      await using file = await open(this.#path(key), 'r');
      const stats = await file.stat();
      if (!stats.isFile())
        throw new HoldfastError('storage-not-found', `cannot read ${key} in ${this.url}: not a file`);
      assertWithin(stats.size, options, key);
      const { offset, length } = options.range ?? { offset: 0, length: stats.size };
      const bytes = offset + length <= stats.size ? await read(file, offset, length) : undefined;
      if (bytes?.length === length) return bytes;
      throw new HoldfastError('damaged', `cannot read ${key} in ${this.url}: it ends before byte ${offset + length}`);
    });
  }

  async stat(key: string, options: WaitOptions = {}): Promise<ObjectInfo> {
    return this.#attempt(`cannot find ${key}`, options, async () => {
      const stats = await stat(this.#path(key), { bigint: true });
      if (!stats.isFile())
        throw new HoldfastError('storage-not-found', `cannot find ${key} in ${this.url}: not a file`);
      return { key, sizeBytes: Number(stats.size), modifiedNs: stats.mtimeNs };
    });
  }

  async *list(prefix: string, options: WaitOptions = {}): AsyncGenerator<ObjectInfo> {
    checkPrefix(prefix);
    const doing = `cannot list ${prefix || 'all'}`;
    await this.#attempt(doing, options, () => checkRoot(this.#root));
    const files = walkObjects(join(this.#root.path, prefix));
    for (;;) {
      const next = await this.#attempt(doing, options, () => files.next());
      if (next.done === true) break;
      const { path, stats } = next.value;
      yield { key: prefix + path, sizeBytes: Number(stats.size), modifiedNs: stats.mtimeNs };
    }
    // Had the disk gone meanwhile, folders would have looked empty.
    await this.#attempt(doing, options, () => checkRoot(this.#root));
  }

  async remove(key: string, options: WaitOptions = {}): Promise<void> {
    await this.#attempt(`cannot remove ${key}`, options, async () => {
      const path = this.#path(key);
      await checkRoot(this.#root);
      await unlink(path);
      await syncFolder(dirname(path));
    });
  }

  async removeLeftovers(before: bigint, options: LeftoverOptions = {}): Promise<number> {
    const { below } = options;
    if (below !== undefined) checkPrefix(below);
    const folder = join(this.#root.path, below ?? '');
    return this.#attempt('cannot remove leftovers', options, async () => {
      let removed = 0;
      for await (const { path, stats } of walkTemporaries(folder)) {
        if (stats.mtimeNs >= before) continue;
        await rm(join(folder, path), { force: true });
        removed++;
      }
      if (below !== undefined) await removeEmptyFolders(folder);
      return removed;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Holds nothing open between calls.
  }

  #path(key: string): string {
    checkKey(key);
    return join(this.#root.path, key);
  }

  readonly #staging: StagedFileHost = {
    attempt: (doing, signal, task) =>
      this.#attempt(doing, { ...(signal && { signal }), ifGone: 'storage-failed' }, task),
    adopt: (file, path, key) => this.#adopt(file, path, this.#path(key)),
    discard,
  };

  async #adopt(file: FileHandle, temporary: string, path: string): Promise<void> {
    await seal(file, this.#modes.file);
    await checkRoot(this.#root);
    await this.#inFolder(dirname(path), () => rename(temporary, path));
    await syncFolder(dirname(path));
    await checkRoot(this.#root);
  }

  /** Writes a file in the making and returns its path. */
  async #write(folder: string, data: readonly Uint8Array[]): Promise<string> {
    const path = join(folder, `${temporaryPrefix}${randomUUID()}`);
    await this.#inFolder(folder, async () => {
      try {
        await using file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
        await fill(file, data);
        await seal(file, this.#modes.file);
      } catch (error) {
        await discard(path);
        throw error;
      }
    });
    return path;
  }

  /** Makes the folder for what is done in it; one that vanishes under our hands (rmdir) is made again. */
  async #inFolder(folder: string, task: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#folders.ensure(folder);
        return await task();
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT' || attempt === 3) throw error;
        await checkRoot(this.#root);
        this.#folders.forget();
      }
    }
  }

  /** Gives the file its name unless that is taken: link(2) does both in one step. */
  async #create(temporary: string, path: string, key: string): Promise<void> {
    const taken = new HoldfastError('storage-exists', `${key} is in ${this.url} already`);
    if (this.capabilities.conditionalCreate) {
      await link(temporary, path).catch((error: unknown) => {
        throw errnoOf(error) === 'EEXIST' ? taken : error;
      });
      await unlink(temporary);
    } else {
      if (await exists(path)) throw taken;
      await rename(temporary, path);
    }
  }

  /** Runs system calls; their errors come out with what they mean for the object. */
  async #attempt<T>(doing: string, options: AttemptOptions, task: () => Promise<T>): Promise<T> {
    options.signal?.throwIfAborted();
    try {
      return await orAborted(task(), options.signal);
    } catch (error) {
      if (options.signal?.aborted && error === options.signal.reason) throw error;
      const meaning = storageError(error, `${doing} in ${this.url}`);
      if (meaning.code !== 'storage-not-found') throw meaning;
      await checkRoot(this.#root);
      throw options.ifGone ? new HoldfastError(options.ifGone, meaning.message, { cause: error }) : meaning;
    }
  }
}

async function fill(file: FileHandle, data: readonly Uint8Array[]): Promise<void> {
  const sizeBytes = data.reduce((sum, piece) => sum + piece.byteLength, 0);
  if (sizeBytes > 0) {
    const { bytesWritten } = await file.writev(data);
    if (bytesWritten !== sizeBytes)
      throw new HoldfastError('storage-full', `only ${bytesWritten} of ${sizeBytes} bytes could be written`);
  }
}

/** Nothing will be written to the file any more. */
async function seal(file: FileHandle, mode: number): Promise<void> {
  // Read-only against mishaps; some network file systems know no modes.
  await ignoring(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'], file.chmod(mode));
  await syncFile(file);
}

async function read(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

async function exists(path: string): Promise<boolean> {
  return (
    (await stat(path).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return undefined;
    })) !== undefined
  );
}

/** Removes a file in the making. Where even that fails it stays: invisible, and `removeLeftovers` finds it. */
async function discard(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
}
