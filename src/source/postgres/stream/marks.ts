interface Mark {
  readonly end: bigint;
  readonly ms: number;
}

/** Closer than that nobody reads them, and a busy server tells thousands of times a second. */
const spacingMs = 100;
const mostMarks = 4096;

/** How old what is durable is: for each moment at which the server told where its log ends, when that was. */
export class Marks {
  #waiting: Mark[] = [];
  #reachedMs: number | undefined;

  /** At `ms` all that the server had written ended before `end`; what says less than is known says nothing. */
  add(end: bigint, ms: number): void {
    const [before, last] = [this.#waiting.at(-2), this.#waiting.at(-1)];
    if (last !== undefined && end < last.end) return;
    const isTight = before !== undefined && ms - before.ms < spacingMs;
    if (last?.end === end || isTight) this.#waiting.pop();
    this.#waiting.push({ end, ms });
    if (this.#waiting.length > mostMarks) this.#waiting = this.#waiting.filter((_, index) => index % 2 === 1);
  }

  /** The newest moment of which everything is durable; undefined before the first. */
  reachedMs(durable: bigint): number | undefined {
    const done = this.#waiting.findLastIndex(({ end }) => end <= durable);
    if (done === -1) return this.#reachedMs;
    this.#reachedMs = this.#waiting[done]?.ms;
    // The last stays: what comes is held against it.
    this.#waiting = this.#waiting.slice(Math.min(done + 1, this.#waiting.length - 1));
    return this.#reachedMs;
  }
}
