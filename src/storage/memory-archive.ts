import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Archive, ArchivedObject, ThawState, ThawWishes, UsualTime } from './archive.ts';
import { MemoryStorage, type Image } from './memory.ts';
import type { GetOptions, PutOptions } from './storage.ts';

const dayNs = 24n * 3_600_000_000_000n;

/** The one class that it knows. */
const storageClass = 'COLD';

/** When a thaw was over, and when its copy ends. */
interface Thaw {
  readonly fromNs: bigint;
  readonly untilNs: bigint;
}

interface Cold {
  /** All below `data/` is archived. */
  readonly image?: Image;
  readonly thawMs?: number;
}

/** A storage in memory that archives what is rarely read, for tests. */
export class ArchivingMemoryStorage extends MemoryStorage {
  readonly archive: Archive;
  /** Keys in the order in which thaws were asked for. */
  readonly asked: string[] = [];
  readonly #clock: Clock;
  readonly #thawMs: number;
  readonly #archived = new Set<string>();
  readonly #thaws = new Map<string, Thaw>();

  constructor(
    clock: Clock,
    wishes: Partial<ThawWishes> = {},
    { image = new Map(), thawMs = 3 * 3_600_000 }: Cold = {},
  ) {
    super(image, clock);
    this.#clock = clock;
    this.#thawMs = thawMs;
    for (const key of image.keys()) if (key.startsWith('data/')) this.#archived.add(key);
    const usual: ThawWishes = {
      ...{ permission: 'given', days: 7, tier: 'Standard', patienceMs: 24 * 3_600_000, pricePerGib: undefined },
      ...wishes,
    };
    this.archive = this.#facet(usual);
  }

  override async put(key: string, data: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    await super.put(key, data, options);
    this.#thaws.delete(key);
    if (options.rarelyRead) this.#archived.add(key);
    else this.#archived.delete(key);
  }

  override async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    if (this.#archived.has(key) && this.#stateOf(key).kind !== 'thawed')
      throw new HoldfastError('storage-archived', `cannot read ${key}: it is in an archive in memory`);
    return await super.get(key, options);
  }

  #facet(wishes: ThawWishes): Archive {
    return {
      wishes,
      probe: async (prefix) => ((await Array.fromAsync(this.#list(prefix))).length > 0 ? 'some' : 'none seen'),
      list: (prefix) => this.#list(prefix),
      stateOf: async (key) => this.#objectAt(key),
      thaw: async (key) => {
        if (wishes.tier === 'Expedited') throw new HoldfastError('usage', `${storageClass} has no tier Expedited`);
        await this.stat(key);
        this.asked.push(key);
        this.#thaw(key, BigInt(wishes.days) * dayNs);
      },
      usualTime: (_class, tier) => (tier === 'Expedited' ? undefined : this.#usualTime),
    };
  }

  get #usualTime(): UsualTime {
    return { leastMs: this.#thawMs, mostMs: this.#thawMs };
  }

  #thaw(key: string, keptNs: bigint): void {
    const now = this.#clock.nowNs();
    const { kind } = this.#stateOf(key);
    if (kind === 'thawing') return;
    const fromNs = kind === 'thawed' ? now : now + BigInt(this.#thawMs) * 1_000_000n;
    this.#thaws.set(key, { fromNs, untilNs: fromNs + keptNs });
  }

  async *#list(prefix: string): AsyncGenerator<string> {
    for await (const { key } of this.list(prefix)) if (this.#archived.has(key)) yield key;
  }

  async #objectAt(key: string): Promise<ArchivedObject | undefined> {
    const { sizeBytes } = await this.stat(key);
    return this.#archived.has(key) ? { key, sizeBytes, storageClass, state: this.#stateOf(key) } : undefined;
  }

  #stateOf(key: string): ThawState {
    const now = this.#clock.nowNs();
    const thaw = this.#thaws.get(key);
    if (thaw === undefined || thaw.untilNs <= now) return { kind: 'archived' };
    return thaw.fromNs > now ? { kind: 'thawing' } : { kind: 'thawed', untilNs: thaw.untilNs };
  }
}
