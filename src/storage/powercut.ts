import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { applyTo, MemoryStorage, type Effect, type Image } from './memory.ts';
import { seededRandom } from './seeded.ts';
import type { Semantics, State } from './semantics.ts';
import { ServedMemory } from './served-memory.ts';
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
  /** What kind of storage it is; without, one that does what the contract says at its weakest. */
  readonly semantics?: Semantics;
}

/** A storage in memory that holds what `start` says. */
export function storageAt({ image, clock, semantics }: Start): MemoryStorage {
  return semantics ? new ServedMemory(semantics, image, clock) : new MemoryStorage(image, clock);
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
  /** What it finds when the server lost its power at that moment, too: by the seed, one of many. */
  readonly afterPowerLoss: (seed: number) => MemoryStorage;
  /** What the program asked for and heard no answer of. */
  readonly underWay: readonly Effect[];
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
  return {
    ...{ reached: storage.isCut, error },
    underWay: storage.underWay,
    survivors: (fate) => storage.survivors(fate),
    afterPowerLoss: (seed) => storage.afterPowerLoss(seed),
  };
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

/** 'refused' is what had no effect for certain. */
interface Change extends Effect {
  state: 'under way' | 'confirmed' | 'refused';
}

/**
 * A storage in memory whose power goes at a point. Every call counts as one operation when it begins: put, get,
 * stat, list, remove. Afterwards uncertain is only what became of the unconfirmed changes; without semantics each
 * came true or not, so objects are whole or absent (what a torn write leaves is invisible).
 */
export class CutStorage implements Storage {
  readonly url = 'memory: (power cut)';
  readonly capabilities: Capabilities;
  readonly #start: Start;
  readonly #memory: MemoryStorage;
  readonly #point: CutPoint | undefined;
  readonly #cut = Promise.withResolvers<never>();
  readonly #changes: Change[] = [];
  #operations = 0;
  #isCut = false;

  constructor(start: Start, point?: CutPoint) {
    this.#start = start;
    this.#memory = storageAt(start);
    this.capabilities = this.#memory.capabilities;
    this.#point = point;
    this.#cut.promise.catch(() => undefined); // nobody may be waiting at that moment
  }

  /** How many have begun. */
  get operations(): number {
    return this.#operations;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  get underWay(): readonly Effect[] {
    return this.#changes.filter(({ state }) => state === 'under way');
  }

  /** What is there when the power is back; before a cut: what would be if it came now. */
  survivors(fate: Fate): MemoryStorage {
    const choose = chosenBy(fate);
    const unconfirmed = this.#start.semantics?.unconfirmed ?? (({ before, after }) => [before, after]);
    return this.#replayed(({ state }, change) => (state === 'confirmed' ? change.after : choose(unconfirmed(change))));
  }

  afterPowerLoss(seed: number): MemoryStorage {
    const choose = chosenBy({ seed });
    const { semantics } = this.#start;
    return this.#replayed(({ state }, change) => {
      const lost = semantics?.afterPowerLoss(change) ?? [change.after];
      return choose(state === 'confirmed' ? lost : [...(semantics?.unconfirmed(change) ?? [change.before]), ...lost]);
    });
  }

  async put(key: string, data: readonly Uint8Array[], options?: PutOptions): Promise<void> {
    const effect = { key, bytes: Buffer.concat(data) };
    await this.#change(effect, options ?? {}, () => this.#memory.put(key, data, options));
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

  async remove(key: string, options?: WaitOptions): Promise<void> {
    await this.#change({ key, bytes: undefined }, options ?? {}, () => this.#memory.remove(key, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open.
  }

  #replayed(stateOf: (change: Change, states: { key: string; before: State; after: State }) => State): MemoryStorage {
    const image = new Map(this.#start.image);
    for (const change of this.#changes) {
      const { key, bytes: after } = change;
      if (change.state !== 'refused') {
        applyTo(image, { key, bytes: stateOf(change, { key, before: image.get(key), after }) });
      }
    }
    return storageAt({ ...this.#start, image });
  }

  async #change(effect: Effect, { signal }: WaitOptions, call: () => Promise<void>): Promise<void> {
    const change: Change = { ...effect, state: 'under way' };
    await this.#operate(async () => {
      this.#changes.push(change);
      try {
        await call();
        if (!this.#isCut) change.state = 'confirmed';
      } catch (error) {
        if (error instanceof HoldfastError && !signal?.aborted) change.state = 'refused';
        throw error;
      }
    });
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
    if (this.#isCut) return;
    this.#isCut = true;
    this.#cut.reject(new PowerCut(`the power is gone (operation ${this.#operations})`));
  }

  #throwIfCut(): void {
    if (this.#isCut) throw new PowerCut('the power is gone');
  }
}

/** The first of the states, the last, or any by the seed. */
function chosenBy(fate: Fate): (states: readonly State[]) => State {
  if (fate === 'lost') return (states) => states[0];
  if (fate === 'kept') return (states) => states.at(-1);
  const random = seededRandom(fate.seed);
  return (states) => states[Math.floor(random() * states.length)];
}
