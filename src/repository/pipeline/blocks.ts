/**
 * Memory for packs, in blocks that are used again and again: what waits for the storage takes no more memory than its
 * bytes, and none of it is left to the garbage collector.
 */
export const blockBytes = 2 ** 20;

export class BlockPool {
  readonly #free: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
  }

  give(block: Uint8Array): void {
    this.#free.push(block);
  }
}
