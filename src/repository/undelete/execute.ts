import { createHash } from 'node:crypto';
import { HoldfastError, hasCode } from '../../errors/error.ts';
import { limiter } from '../../flow/limiter.ts';
import { TaskGroup } from '../../flow/task-group.ts';
import { versionsOf } from '../../storage/as-of.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Versions } from '../../storage/versions.ts';
import { confirmStored } from '../confirm.ts';
import { configKey, idOf } from '../layout.ts';
import { ownFolder } from '../own-object.ts';
import type { Lost, Storing, Uncovering, UndeleteOptions, UndeletePlan } from '../undelete.ts';

export interface UndeleteOutcome {
  readonly uncovered: number;
  readonly stored: number;
  readonly storedBytes: number;
  readonly hidden: number;
  /** The storage refused to hide them. */
  readonly refused: readonly string[];
  /** Found so only now: what was read is not what the name says, or it has to be brought back from an archive first. */
  readonly lost: readonly Lost[];
}

const requestsAtOnce = 10;
/** Each is held whole. */
const storedAtOnce = 4;

/** In the order of writes; config last, so that nobody opens what isn't whole yet. */
const order = ['data/', 'index/', 'snapshots/', ownFolder, 'keys/', configKey];

/**
 * Does what the plan says. A crash leaves a part of it done: a plan made anew has the rest. Where a marker may not be
 * removed, what it hides is stored again.
 */
export async function executeUndelete(
  storage: Storage,
  plan: UndeletePlan,
  options: UndeleteOptions,
): Promise<UndeleteOutcome> {
  const run = new Undeleting(storage, plan, options);
  await run.all(plan.hide, ({ key }) => run.hide(key));
  for (const place of order) {
    const within = ({ key }: { readonly key: string }): boolean => key.startsWith(place);
    await run.all(plan.uncover.filter(within), (one) => run.uncover(one));
    await run.all(plan.store.filter(within), (one) => run.store(one));
  }
  return run.outcome;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class Undeleting {
  readonly #refused: string[] = [];
  readonly #lost: Lost[] = [];
  readonly outcome: Mutable<UndeleteOutcome> = {
    ...{ uncovered: 0, stored: 0, storedBytes: 0, hidden: 0 },
    ...{ refused: this.#refused, lost: this.#lost },
  };
  readonly #storage: Storage;
  readonly #versions: Versions;
  readonly #options: UndeleteOptions;
  readonly #totalItems: number;
  readonly #totalBytes: number;
  readonly #storing = limiter(storedAtOnce);
  #doneItems = 0;

  constructor(storage: Storage, { uncover, store, hide }: UndeletePlan, options: UndeleteOptions) {
    this.#storage = storage;
    this.#versions = versionsOf(storage);
    this.#options = options;
    this.#totalItems = uncover.length + store.length + hide.length;
    this.#totalBytes = store.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  async all<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
    await using group = new TaskGroup({ signal: this.#options.signal });
    const left = items.values();
    for (let n = 0; n < requestsAtOnce; n += 1) {
      group.run(async (alive) => {
        for (const item of left) {
          alive.throwIfAborted();
          await task(item);
          this.#tell();
        }
      });
    }
    await group.wait();
  }

  async hide(key: string): Promise<void> {
    try {
      await this.#storage.remove(key, this.#wait);
      this.outcome.hidden += 1;
    } catch (error) {
      if (!hasCode(error, 'storage-denied', 'storage-not-found')) throw error;
      if (error.code === 'storage-denied') this.#refused.push(key);
    }
  }

  async uncover({ key, version, sizeBytes, markers }: Uncovering): Promise<void> {
    for (const marker of markers) {
      const result = await this.#removed(key, marker);
      if (result === 'refused') return await this.store({ key, version, sizeBytes, rarelyRead: false });
    }
    await confirmStored(this.#storage, { key, sizeBytes }, this.#wait);
    this.outcome.uncovered += 1;
  }

  async #removed(key: string, marker: string): Promise<'done' | 'refused'> {
    try {
      await this.#versions.remove(key, marker, this.#wait);
    } catch (error) {
      if (hasCode(error, 'storage-denied')) return 'refused';
      if (!hasCode(error, 'storage-not-found')) throw error;
    }
    return 'done';
  }

  async store(wanted: Storing): Promise<void> {
    await this.#storing(() => this.#store(wanted), this.#options.signal);
  }

  async #store({ key, version, sizeBytes, rarelyRead }: Storing): Promise<void> {
    const bytes = await this.#right(key, version, sizeBytes);
    if (bytes instanceof HoldfastError) {
      this.#lost.push({ key, problem: bytes.message });
      return;
    }
    await this.#storage.put(key, [bytes], { ...this.#wait, ...(rarelyRead && { rarelyRead }) });
    await confirmStored(this.#storage, { key, sizeBytes }, this.#wait);
    this.outcome.stored += 1;
    this.outcome.storedBytes += sizeBytes;
  }

  async #right(key: string, version: string, maxBytes: number): Promise<Uint8Array | HoldfastError> {
    try {
      const bytes = await this.#versions.get(key, version, { ...this.#wait, maxBytes });
      const id = idOf(key);
      if (id === undefined || createHash('sha256').update(bytes).digest('hex') === id) return bytes;
      return new HoldfastError('damaged', 'the version of then has not the hash that it is named by');
    } catch (error) {
      if (hasCode(error, 'storage-not-found', 'storage-archived', 'damaged')) return error;
      throw error;
    }
  }

  get #wait(): { readonly signal: AbortSignal } {
    return { signal: this.#options.signal };
  }

  #tell(): void {
    const { storedBytes: doneBytes } = this.outcome;
    const [totalItems, totalBytes] = [this.#totalItems, this.#totalBytes];
    const doneItems = ++this.#doneItems;
    const phase = 'bringing back';
    this.#options.listener({ kind: 'progress', phase, doneBytes, totalBytes, doneItems, totalItems });
  }
}
