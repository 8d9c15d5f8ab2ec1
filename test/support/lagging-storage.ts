import { MemoryStorage } from '../../src/storage/memory.ts';

interface Lag {
  /** Of the listings that lag, counted from 1. */
  readonly prefix: string;
  readonly atListing: number;
  readonly hides: (key: string) => boolean;
}

/** A storage in memory of which one listing leaves something out. */
export class LaggingStorage extends MemoryStorage {
  #lag: Lag | undefined;
  #listings = 0;

  /** From now on; undefined: no more. */
  lag(lag: Lag | undefined): void {
    [this.#lag, this.#listings] = [lag, 0];
  }

  override async *list(...[prefix, options]: Parameters<MemoryStorage['list']>): ReturnType<MemoryStorage['list']> {
    const lag = this.#lag;
    if (prefix === lag?.prefix) this.#listings += 1;
    const lags = prefix === lag?.prefix && this.#listings === lag.atListing;
    for await (const info of super.list(prefix, options)) if (!lags || !lag.hides(info.key)) yield info;
  }
}
