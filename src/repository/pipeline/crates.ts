/** Shared memory on its way between threads: who takes it out of the way calls `giveBack`. */
export interface Crate {
  readonly bytes: SharedArrayBuffer;
  /** One word: 1 while the crate is in use. */
  readonly state: SharedArrayBuffer;
}

const crateBytes = 4 * 2 ** 20;
const cratesPerWorker = 2;

/** A worker's crates. Memory that is never freed is never asked for again, and none waits for the collector. */
export class Crates {
  readonly #crates: readonly Crate[] = Array.from({ length: cratesPerWorker }, () => newCrate(crateBytes));
  #next = 0;

  /** The next crate, once it was given back; one of its own for what doesn't fit in. */
  take(length: number): Crate {
    if (length > crateBytes) return newCrate(length);
    const crate = this.#crates[this.#next] ?? newCrate(crateBytes);
    this.#next = (this.#next + 1) % this.#crates.length;
    const state = new Int32Array(crate.state);
    while (Atomics.load(state, 0) === 1) Atomics.wait(state, 0, 1);
    Atomics.store(state, 0, 1);
    return crate;
  }
}

/** What stood in the crate was taken out. */
export function giveBack(crate: Crate): void {
  const state = new Int32Array(crate.state);
  Atomics.store(state, 0, 0);
  Atomics.notify(state, 0);
}

function newCrate(bytes: number): Crate {
  return { bytes: new SharedArrayBuffer(bytes), state: new SharedArrayBuffer(4) };
}
