import { HoldfastError } from '../errors/error.ts';
import { seededRandom } from './seeded.ts';
import type { Capabilities, GetOptions, ObjectInfo, PutOptions, Storage, WaitOptions } from './storage.ts';

/**
 * How a storage can go wrong. All but 'error' and 'stall' break the contract: a repository must notice, or at least
 * lose nothing that was readable.
 * - 'error': fails with 'storage-failed', no effect.
 * - 'lost-answer': the effect comes true, the call fails with 'storage-timeout'.
 * - 'stall': no answer ever; ends only by the caller's signal.
 * - 'lie': a put or removal is confirmed that never happens.
 * - 'truncate': a put stores, or a get gives, only the first half.
 * - 'flip': a get gives, or a put stores, one wrong bit.
 * - 'stale-list': a list misses half of what is there.
 * A fault that makes no sense for an operation does nothing.
 */
export type Fault = 'error' | 'lost-answer' | 'stall' | 'lie' | 'truncate' | 'flip' | 'stale-list';

export interface Operation {
  readonly kind: 'put' | 'get' | 'stat' | 'list' | 'remove';
  /** The key, or the prefix of a list. */
  readonly key: string;
  /** What of the object a get asks for. */
  readonly range?: GetOptions['range'];
  /** From 1, in the order they begin. */
  readonly number: number;
}

export interface FaultOptions {
  /** Decides for each operation. */
  readonly faultFor?: (operation: Operation) => Fault | undefined;
  /** Puts fail with 'storage-full' once this much was stored. */
  readonly fullAfterBytes?: number;
}

/** Faults by chance, the same for the same seed: `rates` are probabilities, 0 to 1 together. */
export function seededFaults(
  seed: number,
  rates: Partial<Readonly<Record<Fault, number>>>,
): (operation: Operation) => Fault | undefined {
  const random = seededRandom(seed);
  const faults = Object.entries(rates) as readonly (readonly [Fault, number])[];
  return () => {
    let chance = random();
    for (const [fault, rate] of faults) {
      if (chance < rate) return fault;
      chance -= rate;
    }
    return undefined;
  };
}

/** A storage that goes wrong on schedule. For tests. */
export class FaultyStorage implements Storage {
  readonly url: string;
  readonly capabilities: Capabilities;
  readonly #inner: Storage;
  readonly #options: FaultOptions;
  #operations = 0;
  #storedBytes = 0;

  constructor(inner: Storage, options: FaultOptions) {
    this.#inner = inner;
    this.#options = options;
    this.url = `${inner.url} (faulty)`;
    // A worker's own read would see no fault, and listings may be stale.
    const { localPath: _, listsAtOnce: __, ...capabilities } = inner.capabilities;
    this.capabilities = capabilities;
  }

  async put(key: string, data: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    const bytes = Buffer.concat(data);
    const fault = this.#begin('put', key);
    if (fault === 'lie') return;
    this.#reserve(key, bytes.length);
    const stored = fault === 'truncate' || fault === 'flip' ? spoil(bytes, fault) : bytes;
    await this.#call(fault, options, () => this.#inner.put(key, [stored], options));
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const fault = this.#begin('get', key, options.range);
    const bytes = await this.#call(fault, options, () => this.#inner.get(key, options));
    return fault === 'truncate' || fault === 'flip' ? spoil(bytes, fault) : bytes;
  }

  async stat(key: string, options: WaitOptions = {}): Promise<ObjectInfo> {
    return this.#call(this.#begin('stat', key), options, () => this.#inner.stat(key, options));
  }

  async *list(prefix: string, options: WaitOptions = {}): AsyncGenerator<ObjectInfo, void> {
    const fault = this.#begin('list', prefix);
    const all = await this.#call(fault, options, () => Array.fromAsync(this.#inner.list(prefix, options)));
    yield* fault === 'stale-list' ? all.filter((_, n) => n % 2 === 0) : all;
  }

  async remove(key: string, options: WaitOptions = {}): Promise<void> {
    const fault = this.#begin('remove', key);
    if (fault !== 'lie') await this.#call(fault, options, () => this.#inner.remove(key, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  #begin(kind: Operation['kind'], key: string, range?: Operation['range']): Fault | undefined {
    return this.#options.faultFor?.({ kind, key, ...(range && { range }), number: ++this.#operations });
  }

  #reserve(key: string, sizeBytes: number): void {
    this.#storedBytes += sizeBytes;
    if (this.#storedBytes <= (this.#options.fullAfterBytes ?? Infinity)) return;
    this.#storedBytes -= sizeBytes;
    throw new HoldfastError('storage-full', `cannot store ${key} in ${this.url}: no space left`);
  }

  async #call<T>(fault: Fault | undefined, options: WaitOptions, call: () => Promise<T>): Promise<T> {
    if (fault === 'error') throw new HoldfastError('storage-failed', `${this.url} failed, as it was told to`);
    if (fault === 'stall') return stall(options.signal);
    const result = await call();
    if (fault === 'lost-answer')
      throw new HoldfastError('storage-timeout', `${this.url} lost its answer, as it was told to`);
    return result;
  }
}

async function stall(signal: AbortSignal | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal?.throwIfAborted();
  signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  return promise;
}

function spoil(bytes: Uint8Array, fault: 'truncate' | 'flip'): Uint8Array {
  if (fault === 'truncate') return bytes.slice(0, bytes.length >> 1);
  const spoilt = bytes.slice();
  const at = bytes.length >> 1;
  if (at < spoilt.length) spoilt[at] = (spoilt[at] ?? 0) ^ 0x10;
  return spoilt;
}
