import type { WaitOptions } from '../storage.ts';

/** How calls are tried again: one that answers, and one that lists. */
export interface Retrying {
  one<T>(what: string, options: WaitOptions, task: (wait: WaitOptions) => Promise<T>): Promise<T>;
  all<T>(what: string, options: WaitOptions, list: (wait: WaitOptions) => AsyncIterable<T>): Promise<readonly T[]>;
}
