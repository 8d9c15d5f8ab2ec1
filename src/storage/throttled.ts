import type {
  Capabilities,
  GetOptions,
  ObjectInfo,
  PutOptions,
  StagedObject,
  Storage,
  WaitOptions,
} from './storage.ts';
import type { Throttle, Throttles } from './throttle.ts';

/**
 * A storage that stays below the user's limits on the whole, for drivers that don't keep to them inside an object: an
 * object waits for its turn, then moves as fast as the storage can.
 */
export class ThrottledStorage implements Storage {
  readonly url: string;
  readonly capabilities: Capabilities;
  readonly #inner: Storage;
  readonly #throttles: Throttles;

  constructor(inner: Storage, throttles: Throttles) {
    this.#inner = inner;
    this.#throttles = throttles;
    this.url = inner.url;
    const { localPath, ...capabilities } = inner.capabilities;
    // A worker that reads the file itself would pass by the limit.
    this.capabilities = throttles.download || !localPath ? capabilities : { ...capabilities, localPath };
  }

  async put(key: string, data: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    await take(this.#throttles.upload, data, options.signal);
    await this.#inner.put(key, data, options);
  }

  /** The size is known once the object is here: whoever reads waits then. */
  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const bytes = await this.#inner.get(key, options);
    await take(this.#throttles.download, [bytes], options.signal);
    return bytes;
  }

  async stat(key: string, options?: WaitOptions): Promise<ObjectInfo> {
    return this.#inner.stat(key, options);
  }

  list(prefix: string, options?: WaitOptions): AsyncIterable<ObjectInfo> {
    return this.#inner.list(prefix, options);
  }

  async remove(key: string, options?: WaitOptions): Promise<void> {
    await this.#inner.remove(key, options);
  }

  get stage(): Storage['stage'] {
    const stage = this.#inner.stage?.bind(this.#inner);
    return stage && (async (options) => this.#staged(await stage(options)));
  }

  get removeLeftovers(): Storage['removeLeftovers'] {
    return this.#inner.removeLeftovers?.bind(this.#inner);
  }

  #staged(staged: StagedObject): StagedObject {
    return {
      write: async (data) => {
        await take(this.#throttles.upload, data);
        await staged.write(data);
      },
      commit: (key, options) => staged.commit(key, options),
      read: () => staged.read(),
      [Symbol.asyncDispose]: () => staged[Symbol.asyncDispose](),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}

async function take(throttle: Throttle | undefined, data: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
  const sizeBytes = data.reduce((sum, piece) => sum + piece.byteLength, 0);
  if (throttle && sizeBytes > 0) await throttle.take(sizeBytes, signal);
}
