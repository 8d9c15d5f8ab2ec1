/**
 * Memory for packs, in blocks that are used again and again: what waits for the storage takes no more memory than its
 * bytes, and none of it is left to the garbage collector.
 */
const blockBytes = 2 ** 20;

export class BlockPool {
  readonly #free: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
  }

  give(blocks: readonly Uint8Array[]): void {
    this.#free.push(...blocks);
  }
}

/** Bytes that grow at their end. */
export class BlockBytes {
  readonly #pool: BlockPool;
  readonly #blocks: Uint8Array[] = [];
  #length = 0;

  constructor(pool: BlockPool) {
    this.#pool = pool;
  }

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const used = this.#length % blockBytes;
      if (used === 0) this.#blocks.push(this.#pool.take());
      const part = bytes.subarray(done, done + blockBytes - used);
      this.#blocks.at(-1)?.set(part, used);
      this.#length += part.length;
      done += part.length;
    }
  }

  /** The bytes, valid until `release`. */
  parts(): readonly Uint8Array[] {
    return this.#blocks.map((block, number) =>
      block.subarray(0, Math.min(blockBytes, this.#length - number * blockBytes)),
    );
  }

  release(): void {
    this.#pool.give(this.#blocks.splice(0));
    this.#length = 0;
  }
}
