import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { orAborted } from '../flow/abort.ts';
import type { Repository } from '../repository/repository.ts';
import type { RepositoryAccess } from './job.ts';

/** What a run needs again at once, a lease, a backup and a record say, must not wait for a dead server three times. */
const failureCountsMs = 10_000;

export interface OpenRepositoriesOptions {
  /** What is opened with it is given up when the signal aborts. */
  readonly accessTo: (name: string, signal: AbortSignal) => RepositoryAccess;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface Attempt {
  readonly repository: Promise<Repository>;
  /** Undefined until it has failed. */
  failedAtMs?: number;
}

/**
 * The repositories that one command works with, by the names of its policy. Each is opened when it is first needed, or
 * begun before, and closed when this is disposed of; the key is derived once. Whoever opens it meanwhile gets it by
 * `Repository.again`: with an index, a gate and locks of its own, so that every job reads anew what it decides by. Where
 * the repository isn't there any more (a disk that was changed, a key that was removed) it is opened from the start. An
 * opening that failed is tried again by whoever needs it some seconds later.
 */
export class OpenRepositories implements AsyncDisposable {
  readonly #accessTo: OpenRepositoriesOptions['accessTo'];
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #closed = new AbortController();
  readonly #attempts = new Map<string, Attempt>();
  readonly #closing = new AsyncDisposableStack();

  constructor({ accessTo, clock, signal }: OpenRepositoriesOptions) {
    this.#accessTo = accessTo;
    this.#clock = clock;
    this.#signal = AbortSignal.any([signal, this.#closed.signal]);
  }

  readonly access = (name: string): RepositoryAccess => ({
    ...this.#accessTo(name, this.#signal),
    open: async () => await this.#open(name),
  });

  /** Opens them all at the same time; what is wrong is heard by who needs one. */
  begin(names: Iterable<string>): void {
    for (const name of names) this.#attempt(name);
  }

  async #open(name: string): Promise<Repository> {
    const attempt = this.#attempt(name);
    const repository = await attempt.repository;
    try {
      return await orAborted(repository.again(), this.#signal);
    } catch (error) {
      if (!(error instanceof HoldfastError) || this.#signal.aborted) throw error;
    }
    if (this.#attempts.get(name) === attempt) this.#attempts.delete(name);
    const anew = await this.#attempt(name).repository;
    return await orAborted(anew.again(), this.#signal);
  }

  #attempt(name: string): Attempt {
    const known = this.#attempts.get(name);
    if (known !== undefined && !this.#isOver(known)) return known;
    const attempt: Attempt = { repository: this.#opened(name) };
    attempt.repository.catch(() => (attempt.failedAtMs = this.#clock.monotonicMs()));
    this.#attempts.set(name, attempt);
    return attempt;
  }

  #isOver({ failedAtMs }: Attempt): boolean {
    return failedAtMs !== undefined && this.#clock.monotonicMs() - failedAtMs >= failureCountsMs;
  }

  /** One that is left for a newer one stays open to the end: somebody may be at work with it. */
  async #opened(name: string): Promise<Repository> {
    return this.#closing.use(await this.#accessTo(name, this.#signal).open());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new HoldfastError('interrupted', 'what it was opened for is over'));
    await Promise.allSettled(this.#attempts.values().map(({ repository }) => repository));
    await this.#closing.disposeAsync();
  }
}
