import { hasCode, HoldfastError } from '../../errors/error.ts';

/** What a put says where the object must not be there. */
export interface Condition {
  readonly IfNoneMatch?: '*';
}

/**
 * Puts of objects that must not be there yet. A server that knows no conditions refuses them with 501 (Backblaze B2,
 * Alibaba OSS): there a look comes before the put, and of two clients that create one object at once both may succeed.
 */
export class Creation {
  #isAtomic = true;

  /** Whether the server decides between clients, as far as is known by now. */
  get isAtomic(): boolean {
    return this.#isAtomic;
  }

  /** `what` names the object, `stat` fails with 'storage-not-found' where it isn't. */
  async put<T>(what: string, store: (condition: Condition) => Promise<T>, stat: () => Promise<unknown>): Promise<T> {
    if (this.#isAtomic) {
      try {
        return await store({ IfNoneMatch: '*' });
      } catch (error) {
        if (!hasCode(error, 'unsupported')) throw error;
      }
    }
    if (await isThere(stat)) throw new HoldfastError('storage-exists', `cannot store ${what}: it is there already`);
    const stored = await store({});
    this.#isAtomic = false;
    return stored;
  }
}

async function isThere(stat: () => Promise<unknown>): Promise<boolean> {
  try {
    await stat();
    return true;
  } catch (error) {
    if (hasCode(error, 'storage-not-found')) return false;
    throw error;
  }
}
