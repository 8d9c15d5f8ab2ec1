/** What is kept between uses: enough for the largest chunk of content. */
const keptBytes = 2 ** 24;

/** Memory that is used again and again, for one thing at a time. */
export class Scratch {
  #memory = Buffer.allocUnsafeSlow(0);

  /** At least `length` bytes, whatever they hold; the next call gives the same ones. */
  room(length: number): Buffer {
    if (length > keptBytes) return Buffer.allocUnsafeSlow(length);
    if (this.#memory.length < length) this.#memory = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(length)));
    return this.#memory;
  }
}

/** This thread's, for what is used at once: whatever is asked for next overwrites it. */
export const passing = new Scratch();
