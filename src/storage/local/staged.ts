import { open, type FileHandle } from 'node:fs/promises';
import { constants } from 'node:fs';
import { HoldfastError } from '../../errors/error.ts';
import type { StagedObject, WaitOptions } from '../storage.ts';

/** What the storage does for a staged file: its own root, names and errors. */
export interface StagedFileHost {
  /** Runs system calls; their errors come out with what they mean for the object. */
  attempt<T>(doing: string, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T>;
  /** Syncs the file and gives it its key's name; durable when it resolves. */
  adopt(file: FileHandle, path: string, key: string): Promise<void>;
  discard(path: string): Promise<void>;
}

/** An object in the making: a file of a name that no key has. */
export class StagedFile implements StagedObject {
  readonly #host: StagedFileHost;
  readonly #path: string;
  readonly #file: FileHandle;
  #state: 'open' | 'closed' = 'open';
  #length = 0;

  private constructor(host: StagedFileHost, path: string, file: FileHandle) {
    this.#host = host;
    this.#path = path;
    this.#file = file;
  }

  static async create(host: StagedFileHost, path: string): Promise<StagedFile> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
    return new StagedFile(host, path, await open(path, flags, 0o600));
  }

  /** At a place, so that one that failed in the middle does no harm when it is repeated. */
  async write(data: readonly Uint8Array[]): Promise<void> {
    const sizeBytes = data.reduce((sum, piece) => sum + piece.byteLength, 0);
    await this.#host.attempt('cannot store an object', undefined, async () => {
      const { bytesWritten } = sizeBytes > 0 ? await this.#file.writev(data, this.#length) : { bytesWritten: 0 };
      if (bytesWritten === sizeBytes) return;
      throw new HoldfastError('storage-full', `only ${bytesWritten} of ${sizeBytes} bytes could be written`);
    });
    this.#length += sizeBytes;
  }

  async read(): Promise<Uint8Array> {
    return this.#host.attempt('cannot read what was stored', undefined, async () => {
      const bytes = Buffer.allocUnsafeSlow(this.#length);
      const { bytesRead } = await this.#file.read(bytes, 0, this.#length, 0);
      return bytes.subarray(0, bytesRead);
    });
  }

  async commit(key: string, options: WaitOptions = {}): Promise<void> {
    await this.#host.attempt(`cannot store ${key}`, options.signal, async () => {
      await this.#host.adopt(this.#file, this.#path, key);
      this.#state = 'closed';
      await this.#file.close();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    await this.#file.close();
    await this.#host.discard(this.#path);
  }
}
