import type { ObjectInfo, PutOptions, StagedObject, Storage, WaitOptions } from '../storage/storage.ts';

/**
 * Stands before a storage's writes. While it is held, no object changes but locks: the holder of a lock that may have
 * been lost has to find out first. A gate once shut refuses every further write.
 */
export class WriteGate {
  #passage: PromiseWithResolvers<void> | undefined;
  #isDoubtful: () => boolean = () => false;

  /** From now on asked before each write: true holds it, and all that follow, as `hold` does. */
  watch(isDoubtful: () => boolean): void {
    this.#isDoubtful = isDoubtful;
  }

  /** Writes wait from now on. */
  hold(): void {
    this.#passage ??= Promise.withResolvers();
    // What waits reports a refusal itself; with nobody waiting it concerns nobody.
    this.#passage.promise.catch(() => undefined);
  }

  /** Those that wait go on. */
  release(): void {
    this.#passage?.resolve();
    this.#passage = undefined;
  }

  /** Those that wait, and all that follow, fail with `reason`. */
  shut(reason: Error): void {
    this.hold();
    this.#passage?.reject(reason);
  }

  async passed(): Promise<void> {
    if (this.#isDoubtful()) this.hold();
    await this.#passage?.promise;
  }
}

/** `storage`, whose writes of anything but locks pass `gate`. */
export function gated(storage: Storage, gate: WriteGate): Storage {
  return new GatedStorage(storage, gate);
}

class GatedStorage implements Storage {
  readonly #inner: Storage;
  readonly #gate: WriteGate;

  constructor(inner: Storage, gate: WriteGate) {
    this.#inner = inner;
    this.#gate = gate;
  }

  get url(): string {
    return this.#inner.url;
  }

  get capabilities(): Storage['capabilities'] {
    return this.#inner.capabilities;
  }

  get versions(): Storage['versions'] {
    return this.#inner.versions;
  }

  get archive(): Storage['archive'] {
    return this.#inner.archive;
  }

  async put(key: string, data: readonly Uint8Array[], options?: PutOptions): Promise<void> {
    await this.#pass(key);
    return this.#inner.put(key, data, options);
  }

  async remove(key: string, options?: WaitOptions): Promise<void> {
    await this.#pass(key);
    return this.#inner.remove(key, options);
  }

  get: Storage['get'] = (key, options) => this.#inner.get(key, options);

  stat: Storage['stat'] = (key, options) => this.#inner.stat(key, options);

  list(prefix: string, options?: WaitOptions): AsyncIterable<ObjectInfo> {
    return this.#inner.list(prefix, options);
  }

  get removeLeftovers(): Storage['removeLeftovers'] {
    const remove = this.#inner.removeLeftovers?.bind(this.#inner);
    return (
      remove &&
      (async (before, options) => {
        await this.#gate.passed();
        return remove(before, options);
      })
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  get stage(): Storage['stage'] {
    const stage = this.#inner.stage?.bind(this.#inner);
    return stage && (async (options) => this.#gated(await stage(options)));
  }

  #gated(staged: StagedObject): StagedObject {
    return {
      write: (data) => staged.write(data),
      read: () => staged.read(),
      commit: async (key, options) => {
        await this.#pass(key);
        await staged.commit(key, options);
      },
      [Symbol.asyncDispose]: () => staged[Symbol.asyncDispose](),
    };
  }

  async #pass(key: string): Promise<void> {
    if (!key.startsWith('locks/')) await this.#gate.passed();
  }
}
