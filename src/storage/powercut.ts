import type { Clock } from '../clock/clock.ts';
import { applyTo, MemoryStorage, type Image } from './memory.ts';
import { seededRandom } from './seeded.ts';
import type { Capabilities, GetOptions, ObjectInfo, PutOptions, Storage, WaitOptions } from './storage.ts';

/**
 * When the power goes: at the `operation`-th operation (from 1) of a program.
 * - 'before': it never begins.
 * - 'during': it is under way, as may be others; each of them may come true or not (`CutStorage.survivors`).
 * - 'after': it was confirmed, and nothing after it.
 * In every case the program is told nothing but `PowerCut`, in all calls under way and to come.
 */
export interface CutPoint {
  readonly operation: number;
  readonly mode: 'before' | 'during' | 'after';
}

/** What becomes of the effects under way: none, all, or by a seed some of them. */
export type Fate = 'lost' | 'kept' | { readonly seed: number };

/** All that a program hears once the power is gone. Not transient: no retry helps. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/** What a program finds at its start: the objects, and the clock that tells when they were written. */
export interface Start {
  readonly image: Image;
  readonly clock?: Clock;
}

/** Runs `program` to its end on a storage that holds what `start` says, and tells how many operations it took. */
export async function countOperations(start: Start, program: (storage: Storage) => Promise<void>): Promise<number> {
  const storage = new CutStorage(start);
  await program(storage);
  return storage.operations;
}

/** What a program came to whose power was cut. */
export interface CutOutcome {
  /** False where the program ended before it came to the cut (its calls overlap in another order each time). */
  readonly reached: boolean;
  /** What the program rejected with, if it did. */
  readonly error: unknown;
  /** What the next start finds. */
  readonly survivors: (fate: Fate) => MemoryStorage;
}

/** Runs `program` on a storage that loses its power at `point`. */
export async function cutAt(
  start: Start,
  point: CutPoint,
  program: (storage: Storage) => Promise<void>,
): Promise<CutOutcome> {
  const storage = new CutStorage(start, point);
  const error = await program(storage).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { reached: storage.isCut, error, survivors: (fate) => storage.survivors(fate) };
}

/** A moment, and what becomes of what was under way. */
export interface Cut {
  readonly point: CutPoint;
  readonly fate: Fate;
}

/** Every cut worth trying for a program of `operations` operations. */
export function* everyCut(operations: number): Generator<Cut> {
  for (let operation = 1; operation <= operations; operation++) {
    yield { point: { operation, mode: 'before' }, fate: 'lost' };
    yield { point: { operation, mode: 'during' }, fate: 'lost' };
    yield { point: { operation, mode: 'during' }, fate: { seed: operation } };
    yield { point: { operation, mode: 'during' }, fate: 'kept' };
    yield { point: { operation, mode: 'after' }, fate: 'kept' };
  }
}

/**
 * A storage in memory whose power goes at a point. Every call counts as one operation when it begins: put, get,
 * stat, list, remove. Objects are whole or absent afterwards (the contract's atomicity; what a torn write leaves is
 * invisible); uncertain is only which of the unconfirmed effects are there.
 */
export class CutStorage implements Storage {
  readonly url = 'memory: (power cut)';
  readonly capabilities: Capabilities;
  readonly #memory: MemoryStorage;
  readonly #clock: Clock | undefined;
  readonly #point: CutPoint | undefined;
  readonly #cut = Promise.withResolvers<never>();
  #operations = 0;
  #left: { readonly durable: Image; readonly unsynced: MemoryStorage['unsynced'] } | undefined;

  constructor(start: Start, point?: CutPoint) {
    this.#clock = start.clock;
    this.#memory = new MemoryStorage(start.image, start.clock);
    this.capabilities = this.#memory.capabilities;
    this.#point = point;
    this.#cut.promise.catch(() => undefined); // nobody may be waiting at that moment
  }

  /** How many have begun. */
  get operations(): number {
    return this.#operations;
  }

  get isCut(): boolean {
    return this.#left !== undefined;
  }

  /** What is there when the power is back; before a cut: what would be if it came now. */
  survivors(fate: Fate): MemoryStorage {
    const { durable, unsynced } = this.#left ?? this.#memory;
    const image = new Map(durable);
    const kept = keptBy(fate);
    for (const effect of unsynced) if (kept()) applyTo(image, effect);
    return new MemoryStorage(image, this.#clock);
  }

  put(key: string, data: readonly Uint8Array[], options?: PutOptions): Promise<void> {
    return this.#operate(() => this.#memory.put(key, data, options));
  }

  get(key: string, options?: GetOptions): Promise<Uint8Array> {
    return this.#operate(() => this.#memory.get(key, options));
  }

  stat(key: string, options?: WaitOptions): Promise<ObjectInfo> {
    return this.#operate(() => this.#memory.stat(key, options));
  }

  async *list(prefix: string, options?: WaitOptions): AsyncGenerator<ObjectInfo> {
    yield* await this.#operate(() => Array.fromAsync(this.#memory.list(prefix, options)));
  }

  remove(key: string, options?: WaitOptions): Promise<void> {
    return this.#operate(() => this.#memory.remove(key, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open.
  }

  async #operate<T>(call: () => Promise<T>): Promise<T> {
    this.#throwIfCut();
    const mode = ++this.#operations === this.#point?.operation ? this.#point.mode : undefined;
    if (mode === 'before') this.#cutNow();
    this.#throwIfCut();
    const running = call();
    if (mode === 'during') this.#cutNow();
    const result = await Promise.race([this.#cut.promise, running]);
    if (mode === 'after') this.#cutNow();
    this.#throwIfCut();
    return result;
  }

  #cutNow(): void {
    if (this.#left) return;
    this.#left = { durable: new Map(this.#memory.durable), unsynced: this.#memory.unsynced };
    this.#cut.reject(new PowerCut(`the power is gone (operation ${this.#operations})`));
  }

  #throwIfCut(): void {
    if (this.#left) throw new PowerCut('the power is gone');
  }
}

function keptBy(fate: Fate): () => boolean {
  if (fate === 'lost') return () => false;
  if (fate === 'kept') return () => true;
  const random = seededRandom(fate.seed);
  return () => random() < 0.5;
}
