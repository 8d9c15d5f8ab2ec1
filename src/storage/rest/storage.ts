import { hasCode, HoldfastError } from '../../errors/error.ts';
import { limiter } from '../../flow/limiter.ts';
import { begun } from '../../flow/stall.ts';
import { checkKey, checkPrefix } from '../keys.ts';
import type { Capabilities, GetOptions, ObjectInfo, PutOptions, Storage, WaitOptions } from '../storage.ts';
import { RestClient, type RestServer } from './client.ts';
import { connectionError, statusError } from './errors.ts';
import type { ListedName } from './listing.ts';
import { folders, keyIn } from './names.ts';

/** Only for servers that tell no sizes. */
const questionsAtOnce = 5;
const questionsInHand = 100;

/**
 * A repository behind restic's REST protocol. A server takes an object whole or not at all, checks that its content has
 * the hash that is its name, and never replaces one; atomicity and durability are the server's.
 */
export class RestStorage implements Storage {
  readonly url: string;
  readonly capabilities: Capabilities = { ownPrefixes: false, conditionalCreate: false, lock: false, versions: false };
  readonly #server: RestServer;
  readonly #client: RestClient;

  constructor(server: RestServer) {
    this.url = server.url;
    this.#server = server;
    this.#client = new RestClient(server);
  }

  /** Does first what must be done before anything is asked. */
  async begin(first: () => Promise<void>): Promise<void> {
    await this.#attempt(`cannot open ${this.url}`, {}, first);
  }

  async create(wait: WaitOptions): Promise<void> {
    await this.#attempt(`cannot create ${this.url}`, wait, () => this.#client.create(wait));
  }

  async put(key: string, data: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    checkKey(key);
    await this.#attempt(this.#client.doing('store', key), options, async () => {
      // Not every server refuses to replace (rclone doesn't).
      if (options.ifAbsent && (await this.#client.sizeOf(key, options)) !== undefined) throw this.#taken(key);
      const refusal = await this.#post(key, data, options);
      if (refusal) await this.#settle(key, data, options, refusal);
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    checkKey(key);
    const { range } = options;
    if (range?.length === 0) return await this.#nothingOf(key, range.offset, options);
    return this.#attempt(this.#client.doing('read', key), options, () => this.#client.get(key, options));
  }

  async stat(key: string, options: WaitOptions = {}): Promise<ObjectInfo> {
    checkKey(key);
    const doing = this.#client.doing('find', key);
    const sizeBytes = await this.#attempt(doing, options, () => this.#client.sizeOf(key, options));
    if (sizeBytes === undefined) throw statusError(404, doing);
    return { key, sizeBytes };
  }

  async *list(prefix: string, options: WaitOptions = {}): AsyncGenerator<ObjectInfo, void> {
    checkPrefix(prefix);
    if (prefix === '') yield* await this.#ifThere('config', options);
    for (const folder of folders) {
      if (!`${folder}/`.startsWith(prefix) && !prefix.startsWith(`${folder}/`)) continue;
      const doing = `cannot list ${folder} in ${this.url}`;
      const names = await this.#attempt(doing, options, () => this.#client.namesIn(folder, options));
      const wanted = names.filter(({ name }) => keyIn(folder, name).startsWith(prefix));
      yield* this.#sized(wanted, folder, options);
    }
  }

  get timeThere(): Storage['timeThere'] {
    if (!this.#server.elsewhere) return undefined;
    const doing = `cannot ask ${this.url} for the time`;
    return (options = {}) => this.#attempt(doing, options, () => this.#client.timeThere(options));
  }

  async remove(key: string, options: WaitOptions = {}): Promise<void> {
    checkKey(key);
    await this.#attempt(this.#client.doing('remove', key), options, () => this.#client.remove(key, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }

  /**
   * Resolves with why the server did not take it, where the reason may be that it has it. A server that doesn't want
   * the bytes may hang up in the midst of them, before its answer is here.
   */
  async #post(key: string, data: readonly Uint8Array[], options: PutOptions): Promise<HoldfastError | undefined> {
    const doing = this.#client.doing('store', key);
    const refusal = await this.#client.post(key, data, options).catch((error: unknown) => {
      if (options.ifAbsent || options.signal?.aborted) throw error;
      return connectionError(error, doing);
    });
    if (refusal === undefined || refusal instanceof HoldfastError) return refusal;
    if ([403, 409, 412].includes(refusal.status)) return refusal.error;
    throw refusal.error;
  }

  /** Fine, if what the server has is what was to be stored. */
  async #settle(key: string, data: readonly Uint8Array[], options: PutOptions, refusal: HoldfastError): Promise<void> {
    const unknown = (): undefined => undefined; // the refusal says more than a second failure
    const sizeBytes = await this.#client.sizeOf(key, options).catch(unknown);
    if (sizeBytes === undefined) throw refusal;
    const wanted = Buffer.concat(data);
    const same = sizeBytes === wanted.length && wanted.equals(await this.#client.get(key, options));
    if (options.ifAbsent || !same) throw this.#taken(key);
  }

  #taken(key: string): HoldfastError {
    return new HoldfastError('storage-exists', `${key} is in ${this.url} already`);
  }

  async #nothingOf(key: string, offset: number, options: WaitOptions): Promise<Uint8Array> {
    const { sizeBytes } = await this.stat(key, options);
    if (offset <= sizeBytes) return new Uint8Array(0);
    throw new HoldfastError('damaged', `${this.#client.doing('read', key)}: it ends before byte ${offset}`);
  }

  async *#sized(names: readonly ListedName[], folder: string, options: WaitOptions): AsyncGenerator<ObjectInfo, void> {
    const limited = limiter(questionsAtOnce);
    for (let first = 0; first < names.length; first += questionsInHand) {
      const batch = names.slice(first, first + questionsInHand).map(async ({ name, sizeBytes }) => {
        const key = keyIn(folder, name);
        return sizeBytes === undefined ? await limited(() => this.#ifThere(key, options)) : [{ key, sizeBytes }];
      });
      yield* (await Promise.all(batch)).flat();
    }
  }

  /** What was removed since it was listed is left out. */
  async #ifThere(key: string, options: WaitOptions): Promise<readonly ObjectInfo[]> {
    try {
      return [await this.stat(key, options)];
    } catch (error) {
      if (hasCode(error, 'storage-not-found')) return [];
      throw error;
    }
  }

  /** Runs requests; what comes of a failed connection is told with what it means for the object. */
  async #attempt<T>(doing: string, { signal }: WaitOptions, task: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    begun(signal);
    try {
      return await task();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof HoldfastError && error.message.includes(this.url)) throw error;
      throw connectionError((await this.#server.explain?.(error)) ?? error, doing);
    }
  }
}
