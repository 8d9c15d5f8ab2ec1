import type { Clock } from '../clock/clock.ts';
import type { ErrorCode } from '../errors/codes.ts';
import { hasCode, HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { withDeadline } from '../flow/abort.ts';
import { retry, type RetryOptions } from '../flow/retry.ts';
import { moved, unlessStalled, type StallBound } from '../flow/stall.ts';
import type { Archive } from './archive.ts';
import { retryingArchive } from './retry/archive.ts';
import type { Retrying } from './retry/retrying.ts';
import { tellRetry } from './retry/told.ts';
import { retryingVersions } from './retry/versions.ts';
import { retryingSetup } from './retry/setup.ts';
import type { RateLimits } from './settings.ts';
import {
  transientCodes,
  type Capabilities,
  type GetOptions,
  type ObjectInfo,
  type PutOptions,
  type StagedObject,
  type Storage,
  type WaitOptions,
} from './storage.ts';
import type { BucketSetup } from './setup.ts';
import { unseenBytes } from './throttle.ts';
import type { Versions } from './versions.ts';

export interface RetryPolicy {
  /** Attempts an operation, the first included. */
  readonly attempts: number;
  /** No attempt starts later than this after the first. */
  readonly untilMs: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /**
   * How long one attempt may take that moves no data, and how long one over a network may stand still; with data whose
   * moves nobody tells, `slowestBytesPerSecond` adds to it.
   */
  readonly timeoutMs: number;
  readonly slowestBytesPerSecond: number;
}

/** About a quarter of an hour of patience, as restic has. */
const patience: RetryPolicy = {
  attempts: 10,
  untilMs: 15 * 60_000,
  baseMs: 500,
  maxMs: 60_000,
  timeoutMs: 60_000,
  slowestBytesPerSecond: 128 * 1024,
};

/** Objects that may move at once and share a limit on bytes. */
const sharers = 16;

/** The patience that fits what the user asked for: a limited rate is no stall. */
export function retryPolicy(wish: {
  readonly timeoutMs?: number | undefined;
  readonly limits?: RateLimits | undefined;
}): RetryPolicy {
  const { uploadBytesPerSecond: up = Infinity, downloadBytesPerSecond: down = Infinity } = wish.limits ?? {};
  return {
    ...patience,
    timeoutMs: wish.timeoutMs || patience.timeoutMs,
    slowestBytesPerSecond: Math.min(patience.slowestBytesPerSecond, up / sharers, down / sharers),
  };
}

/** A request waits for a connection before its bytes move. */
const turnsBefore = 3;
/** Bytes that wait for the user's limits together. */
const togetherBytes = 16 * 1024;
/** What moves, if only by drops, may be so many times slower than what tells nothing. */
const slowness = 32;

/** An object of unknown size is taken for this large. */
const unknownBytes = 64 * 1024 * 1024;

/**
 * A storage whose passing errors are tried again for a bounded time, and that never waits forever: an attempt that
 * gives no answer in time counts as 'storage-timeout'.
 *
 * A put or removal that failed may have happened all the same, and what stands before a server may repeat a request by
 * itself. So when an `ifAbsent` finds the object there, its bytes decide whether it is ours: what is sealed twice is never
 * the same. A repeated removal that finds nothing has succeeded.
 */
export class RetryingStorage implements Storage {
  readonly url: string;
  readonly capabilities: Capabilities;
  readonly #inner: Storage;
  readonly #clock: Clock;
  readonly #policy: RetryPolicy;
  readonly #listener: Listener;

  constructor(
    inner: Storage,
    options: { readonly clock: Clock; readonly listener: Listener; readonly policy?: RetryPolicy },
  ) {
    this.#inner = inner;
    this.#clock = options.clock;
    this.#policy = options.policy ?? patience;
    this.#listener = options.listener;
    this.url = inner.url;
    this.capabilities = inner.capabilities;
  }

  async put(key: string, data: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    const sizeBytes = data.reduce((sum, piece) => sum + piece.byteLength, 0);
    await this.#retry({ what: `storing ${key}`, sizeBytes, ...options }, async (signal) => {
      try {
        await this.#inner.put(key, data, { ...options, signal });
      } catch (error) {
        if (!hasCode(error, 'storage-exists') || !(await this.#holds(key, data, signal))) throw error;
      }
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const sizeBytes = options.range?.length ?? unknownBytes;
    return this.#retry({ what: `reading ${key}`, sizeBytes, ...options }, (signal) =>
      this.#inner.get(key, { ...options, signal }),
    );
  }

  async stat(key: string, options: WaitOptions = {}): Promise<ObjectInfo> {
    return this.#retry({ what: `finding ${key}`, ...options }, (signal) => this.#inner.stat(key, { signal }));
  }

  /** Gathered whole before the first item is given, so that a list begun anew names nothing twice. */
  async *list(prefix: string, options: WaitOptions = {}): AsyncGenerator<ObjectInfo, void> {
    const what = `listing ${prefix || 'all'}`;
    yield* await this.#retryUnbounded(what, options, () =>
      this.#gather((wait) => this.#inner.list(prefix, wait), what, options),
    );
  }

  async remove(key: string, options: WaitOptions = {}): Promise<void> {
    await this.#retry({ what: `removing ${key}`, ...options }, async (signal, attempt) => {
      try {
        await this.#inner.remove(key, { signal });
      } catch (error) {
        if (attempt === 1 || !hasCode(error, 'storage-not-found')) throw error;
      }
    });
  }

  get removeLeftovers(): Storage['removeLeftovers'] {
    const remove = this.#inner.removeLeftovers?.bind(this.#inner);
    return (
      remove &&
      (async (before, wait = {}) => {
        const call = { what: 'removing leftovers', ...wait };
        const deadline = { ...this.#deadline(call), ms: this.#policy.untilMs };
        return this.#retryUnbounded(call.what, wait, () =>
          withDeadline(deadline, (signal) => remove(before, { ...wait, signal })),
        );
      })
    );
  }

  get timeThere(): Storage['timeThere'] {
    const ask = this.#inner.timeThere?.bind(this.#inner);
    return (
      ask && ((options = {}) => this.#retry({ what: 'asking for the time', ...options }, (signal) => ask({ signal })))
    );
  }

  get setup(): BucketSetup | undefined {
    return this.#inner.setup && retryingSetup(this.#inner.setup, this.#retrying(0));
  }

  get versions(): Versions | undefined {
    return this.#inner.versions && retryingVersions(this.#inner.versions, this.#retrying(unknownBytes));
  }

  get archive(): Archive | undefined {
    return this.#inner.archive && retryingArchive(this.#inner.archive, this.#retrying(0));
  }

  #retrying(sizeBytes: number): Retrying {
    return {
      one: (what, options, task) =>
        this.#retry({ what, sizeBytes, ...options }, (signal) => task({ ...options, signal })),
      all: (what, options, list) =>
        this.#retryUnbounded(what, options, () => this.#gather((wait) => list(wait), what, options)),
    };
  }

  /**
   * A commit is tried once, for nobody knows what a failed one left. A write that gave no answer is not repeated: it
   * may still read the bytes when they are free again.
   */
  get stage(): Storage['stage'] {
    const stage = this.#inner.stage?.bind(this.#inner);
    const what = 'storing an object';
    return (
      stage && (async (wait) => this.#bounded(await this.#retry({ what, ...wait }, (signal) => stage({ signal }))))
    );
  }

  #bounded(staged: StagedObject): StagedObject {
    let sizeBytes = 0;
    return {
      write: async (data) => {
        const added = data.reduce((sum, piece) => sum + piece.byteLength, 0);
        sizeBytes += added;
        const what = 'storing an object';
        const deadline = this.#deadline({ what, sizeBytes: added });
        await this.#retryUnbounded(what, { codes: ['storage-failed'] }, () =>
          withDeadline(deadline, () => staged.write(data)),
        );
      },
      read: async () => withDeadline(this.#deadline({ what: 'reading an object', sizeBytes }), () => staged.read()),
      commit: async (key, options = {}) =>
        withDeadline(this.#deadline({ what: `storing ${key}`, sizeBytes, ...options }), (signal) =>
          staged.commit(key, { signal }),
        ),
      [Symbol.asyncDispose]: () => staged[Symbol.asyncDispose](),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  async #holds(key: string, data: readonly Uint8Array[], signal: AbortSignal): Promise<boolean> {
    const wanted = Buffer.concat(data);
    try {
      return wanted.equals(await this.#inner.get(key, { signal, maxBytes: wanted.length }));
    } catch (error) {
      if (hasCode(error, 'damaged')) return false; // it is larger
      throw error;
    }
  }

  #deadline(call: Call): StallBound {
    const { timeoutMs, slowestBytesPerSecond } = this.#policy;
    const movingMs = ((call.sizeBytes ?? 0) / slowestBytesPerSecond) * 1000;
    return {
      ms: timeoutMs + movingMs,
      firstMs: turnsBefore * timeoutMs + (Math.min(call.sizeBytes ?? 0, unseenBytes) / slowestBytesPerSecond) * 1000,
      idleMs: timeoutMs + (togetherBytes / slowestBytesPerSecond) * 1000,
      mostMs: timeoutMs + slowness * movingMs,
      clock: this.#clock,
      error: () => this.#timeout(call.what),
      signal: call.signal,
    };
  }

  async #retry<T>(call: Call, attempt: (signal: AbortSignal, number: number) => Promise<T>): Promise<T> {
    const bound = this.#deadline(call);
    return this.#retryUnbounded(call.what, call, (number) => unlessStalled(bound, (signal) => attempt(signal, number)));
  }

  /** For attempts that bound themselves. */
  async #retryUnbounded<T>(
    what: string,
    { codes = transientCodes, ...wait }: WaitOptions & { readonly codes?: readonly ErrorCode[] },
    attempt: (number: number) => Promise<T>,
  ): Promise<T> {
    const options: RetryOptions = {
      ...this.#policy,
      jitter: 0.5,
      clock: this.#clock,
      signal: wait.signal,
      retryable: (error) => hasCode(error, ...codes),
      onRetry: tellRetry(this.#listener, what),
    };
    return retry(options, attempt);
  }

  /** A list may take long; only one that stands still has failed. */
  async #gather<T>(
    list: (wait: WaitOptions) => AsyncIterable<T>,
    what: string,
    { signal }: WaitOptions,
  ): Promise<readonly T[]> {
    const found: T[] = [];
    const bound = { ...this.#deadline({ what, ...(signal && { signal }) }), mostMs: Infinity };
    await unlessStalled(bound, async (held) => {
      for await (const item of list({ signal: held })) {
        found.push(item);
        moved(held);
      }
    });
    return found;
  }

  #timeout(what: string): HoldfastError {
    return new HoldfastError('storage-timeout', `${what}: ${this.url} did not answer in time`);
  }
}

interface Call extends WaitOptions {
  readonly what: string;
  readonly sizeBytes?: number;
}
