/** Shared memory on its way between threads: who takes it out of the way calls `giveBack`. */
export interface Crate {
  readonly bytes: SharedArrayBuffer;
  /** One word: 1 while the crate is in use. */
  readonly state: SharedArrayBuffer;
}

/** One for a request of small files, one for a largest chunk. */
const crateSizes = [1.25 * 2 ** 20, 8 * 2 ** 20 + 64 * 1024];

/** A worker's crates. Memory that is never freed is never asked for again, and none waits for the collector. */
export class Crates {
  /** The one taken longest ago first. */
  readonly #crates = crateSizes.map(newCrate);

  /** A crate that was given back; one of its own for what fits in none. */
  take(length: number): Crate {
    const fitting = this.#crates.filter(({ bytes }) => bytes.byteLength >= length);
    const crate = fitting.find(({ state }) => Atomics.load(new Int32Array(state), 0) === 0) ?? fitting[0];
    if (!crate) return newCrate(length);
    const state = new Int32Array(crate.state);
    while (Atomics.load(state, 0) === 1) Atomics.wait(state, 0, 1);
    Atomics.store(state, 0, 1);
    this.#crates.push(...this.#crates.splice(this.#crates.indexOf(crate), 1));
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
