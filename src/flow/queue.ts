/**
 * A queue between producers and consumers that holds at most `capacity` items: `put` waits while it is full,
 * iteration waits while it is empty. `close` ends the iteration after the items that are in; an abort of the signal
 * ends both sides at once, with its reason.
 */
export class BoundedQueue<T extends NonNullable<unknown>> implements AsyncIterable<T> {
  readonly #capacity: number;
  readonly #signal: AbortSignal | undefined;
  readonly #items: T[] = [];
  #closed = false;
  #changed = Promise.withResolvers<void>();

  constructor(capacity: number, signal?: AbortSignal) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`a queue needs a whole capacity, not ${capacity}`);
    this.#capacity = capacity;
    this.#signal = signal;
    signal?.addEventListener('abort', () => this.#wake(), { once: true });
  }

  get size(): number {
    return this.#items.length;
  }

  /** Adds an item once there is room. */
  async put(item: T): Promise<void> {
    while (!this.#signal?.aborted && !this.#closed && this.#items.length >= this.#capacity) await this.#changed.promise;
    this.#signal?.throwIfAborted();
    if (this.#closed) throw new Error('put into a closed queue');
    this.#items.push(item);
    this.#wake();
  }

  /** No more items will come. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      this.#signal?.throwIfAborted();
      const item = this.#items.shift();
      if (item !== undefined) {
        this.#wake();
        yield item;
      } else if (this.#closed) return;
      else await this.#changed.promise;
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
