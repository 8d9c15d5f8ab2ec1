import type { Clock } from '../clock/clock.ts';
import { hasCode } from '../errors/error.ts';
import { checkKey } from './keys.ts';
import { MemoryStorage, type Image } from './memory.ts';
import type { Semantics } from './semantics.ts';
import type { Capabilities, PutOptions, WaitOptions } from './storage.ts';

/** A storage in memory that takes and refuses what one kind of server does. For tests. */
export class ServedMemory extends MemoryStorage {
  override readonly capabilities: Capabilities;
  readonly #semantics: Semantics;

  constructor(semantics: Semantics, image?: Image, clock?: Clock) {
    super(image, clock);
    this.#semantics = semantics;
    this.capabilities = semantics.capabilities;
  }

  override async put(key: string, data: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    checkKey(key);
    const before = this.visible.get(key);
    const isRefused = options.ifAbsent && before !== undefined; // by `super`
    const admitted = isRefused || this.#semantics.admit({ key, before, after: Buffer.concat(data) }) === 'apply';
    if (admitted) await super.put(key, data, options);
  }

  override async remove(key: string, options: WaitOptions = {}): Promise<void> {
    checkKey(key);
    this.#semantics.admit({ key, before: this.visible.get(key), after: undefined });
    try {
      await super.remove(key, options);
    } catch (error) {
      if (this.#semantics.missing === 'storage-not-found' || !hasCode(error, 'storage-not-found')) throw error;
    }
  }
}
