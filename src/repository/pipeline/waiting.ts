/** What is in a batch, and who waits for what becomes of it. */
export interface Waiting<Item, Result> {
  readonly item: Item;
  readonly done: PromiseWithResolvers<Result>;
}

export function settle<Result>(done: PromiseWithResolvers<Result>, result: () => Result | Promise<Result>): void {
  try {
    const value = result();
    if (value instanceof Promise) done.promise.catch(() => undefined);
    done.resolve(value);
  } catch (error) {
    reject(done, error);
  }
}

/** Whoever waits hears of it; the process doesn't end by it where nobody listens yet. */
export function reject<Result>(done: PromiseWithResolvers<Result>, error: unknown): void {
  done.promise.catch(() => undefined);
  done.reject(error);
}
