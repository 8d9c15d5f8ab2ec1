import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { orAborted } from '../flow/abort.ts';
import { checkKey, checkPrefix } from './keys.ts';
import { assertWithin } from './size-limit.ts';
import type { Capabilities, GetOptions, ObjectInfo, PutOptions, Storage, WaitOptions } from './storage.ts';

/** What a storage holds: key to bytes. */
export type Image = ReadonlyMap<string, Uint8Array>;

/** A put, or with `bytes` undefined a removal. */
export interface Effect {
  readonly key: string;
  readonly bytes: Uint8Array | undefined;
}

/**
 * A storage in memory, for tests. It takes the contract at its weakest: an effect becomes visible first and durable
 * a turn later, when the call resolves. What was visible but not yet durable is what a power cut may take away.
 */
export class MemoryStorage implements Storage {
  readonly url = 'memory:';
  readonly capabilities: Capabilities = { ownPrefixes: true, conditionalCreate: true, lock: false, versions: false };
  readonly #visible: Map<string, Uint8Array>;
  readonly #durable: Map<string, Uint8Array>;
  readonly #clock: Clock | undefined;
  readonly #written = new Map<string, bigint>();

  /** With a clock, it knows when each object was written; those of `image` just now. */
  constructor(image: Image = new Map(), clock?: Clock) {
    this.#visible = new Map(image);
    this.#durable = new Map(image);
    this.#clock = clock;
    for (const key of image.keys()) this.#stamp(key);
  }

  /** What was confirmed. */
  get durable(): Image {
    return this.#durable;
  }

  /** What is there for whoever asks now. */
  get visible(): Image {
    return this.#visible;
  }

  /** What somebody else asked for comes true now. */
  arrive(effect: Effect): void {
    for (const image of [this.#visible, this.#durable]) applyTo(image, effect);
    if (effect.bytes) this.#stamp(effect.key);
  }

  async put(key: string, data: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    checkKey(key);
    options.signal?.throwIfAborted();
    if (options.ifAbsent && this.#visible.has(key))
      throw new HoldfastError('storage-exists', `${key} is in memory already`);
    const bytes = Buffer.concat(data);
    this.#visible.set(key, bytes);
    this.#stamp(key);
    await orAborted(this.#sync({ key, bytes }), options.signal);
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    await this.#arrive(options);
    const bytes = this.#find(key);
    assertWithin(bytes.length, options, key);
    const { offset, length } = options.range ?? { offset: 0, length: bytes.length };
    if (offset + length <= bytes.length) return Uint8Array.from(bytes.subarray(offset, offset + length));
    throw new HoldfastError('damaged', `cannot read ${key} in memory: it ends before byte ${offset + length}`);
  }

  async stat(key: string, options: WaitOptions = {}): Promise<ObjectInfo> {
    await this.#arrive(options);
    return this.#info(key, this.#find(key));
  }

  async *list(prefix: string, options: WaitOptions = {}): AsyncGenerator<ObjectInfo> {
    checkPrefix(prefix);
    await this.#arrive(options);
    for (const [key, bytes] of new Map(this.#visible)) {
      options.signal?.throwIfAborted();
      if (key.startsWith(prefix)) yield this.#info(key, bytes);
    }
  }

  async remove(key: string, options: WaitOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    this.#find(key);
    this.#visible.delete(key);
    await orAborted(this.#sync({ key, bytes: undefined }), options.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Memory needs no closing.
  }

  async #arrive(options: WaitOptions): Promise<void> {
    options.signal?.throwIfAborted();
    await orAborted(nextTurn(), options.signal);
  }

  async #sync(effect: Effect): Promise<void> {
    await nextTurn();
    applyTo(this.#durable, effect);
  }

  #stamp(key: string): void {
    if (this.#clock) this.#written.set(key, this.#clock.nowNs());
  }

  #info(key: string, bytes: Uint8Array): ObjectInfo {
    const modifiedNs = this.#written.get(key);
    return { key, sizeBytes: bytes.length, ...(modifiedNs === undefined ? {} : { modifiedNs }) };
  }

  #find(key: string): Uint8Array {
    checkKey(key);
    const bytes = this.#visible.get(key);
    if (!bytes) throw new HoldfastError('storage-not-found', `${key} is not in memory`);
    return bytes;
  }
}

/** Lets everything that waits already go first. */
async function nextTurn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

/** Lets an effect come true in `image`. */
export function applyTo(image: Map<string, Uint8Array>, effect: Effect): void {
  if (effect.bytes) image.set(effect.key, effect.bytes);
  else image.delete(effect.key);
}
