import { orAborted } from '../../flow/abort.ts';
import type { Storage, WaitOptions } from '../storage.ts';

/** A storage for a while. */
export interface Watched {
  /** Once the signal aborts it begins no call any more, and gives up what only reads; what changes something comes to its end. */
  readonly storage: Storage;
  /** Resolves when no change is under way. Those that still are when `end` aborts are given up, whatever comes of them. */
  readonly settle: (end: AbortSignal) => Promise<void>;
}

/** So that nothing is stored behind the back of who clears up after a signal. */
export function watched(storage: Storage, signal: AbortSignal): Watched {
  const underWay = new Set<Promise<unknown>>();
  const lost = new AbortController();
  const reading = ({ signal: own }: WaitOptions = {}): WaitOptions => ({
    signal: own ? AbortSignal.any([signal, own]) : signal,
  });
  const changing = async <T>(
    { signal: own }: WaitOptions = {},
    call: (wait: WaitOptions) => Promise<T>,
  ): Promise<T> => {
    signal.throwIfAborted();
    const change = call({ signal: own ? AbortSignal.any([lost.signal, own]) : lost.signal });
    const over = (): unknown => underWay.delete(change);
    underWay.add(change);
    change.then(over, over);
    return await change;
  };
  const timeThere = storage.timeThere?.bind(storage);
  const stage = storage.stage?.bind(storage);
  return {
    storage: {
      url: storage.url,
      capabilities: storage.capabilities,
      put: (key, data, options) => changing(options, (wait) => storage.put(key, data, { ...options, ...wait })),
      get: (key, options) => storage.get(key, { ...options, ...reading(options) }),
      stat: (key, options) => storage.stat(key, reading(options)),
      list: (prefix, options) => storage.list(prefix, reading(options)),
      remove: (key, options) => changing(options, (wait) => storage.remove(key, wait)),
      timeThere: timeThere && ((options) => timeThere(reading(options))),
      stage: stage && ((options) => changing(options, stage)),
      [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
    },
    settle: async (end) => {
      try {
        await orAborted(Promise.allSettled(underWay), end);
      } catch (error) {
        lost.abort(error);
        throw error;
      }
    },
  };
}
