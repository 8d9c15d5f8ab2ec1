/** Counts what is under way, in place of a task for each. */
export class Underway {
  readonly #onFailure: (error: unknown) => void;
  readonly #ended = Promise.withResolvers<void>();
  #count = 0;
  #state: 'open' | 'closed' = 'open';

  /** `onFailure` is called with what the last step of anything threw. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Resolves once it is closed and nothing is under way. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  begin(): void {
    this.#count += 1;
  }

  end(lastStep: () => void): void {
    try {
      lastStep();
    } catch (error) {
      this.#onFailure(error);
    }
    this.#count -= 1;
    this.#settle();
  }

  /** Nothing more begins. */
  close(): void {
    this.#state = 'closed';
    this.#settle();
  }

  #settle(): void {
    if (this.#state === 'closed' && this.#count === 0) this.#ended.resolve();
  }
}
