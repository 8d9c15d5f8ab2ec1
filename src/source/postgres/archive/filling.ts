import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { Extent } from '../../../log/log.ts';
import type { LogFile } from './log-file.ts';
import { isOfFile, keyOf, type ArchivePlace } from './place.ts';

/** How long a place that is filled is not looked at again. */
const lookMs = 5 * 60_000;

interface Optional {
  readonly place: ArchivePlace;
  /** When it is compared with a required place again; at once where it is 0. */
  lookAtMs: number;
  task: Promise<void> | undefined;
}

/**
 * Places that aren't required get each file once the required ones have it, one at a time and beside everything else: what
 * comes while they are busy or away is copied from a required place afterwards. Nothing waits for them.
 */
export class Filling {
  readonly #required: readonly ArchivePlace[];
  readonly #optional: readonly Optional[];
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #fault: { readonly error: unknown } | undefined;

  constructor(
    places: readonly ArchivePlace[],
    { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  ) {
    this.#required = places.filter(({ required }) => required);
    this.#optional = places
      .filter(({ required }) => !required)
      .map((place) => ({ place, lookAtMs: 0, task: undefined }));
    this.#clock = clock;
    this.#signal = signal;
  }

  get isBusy(): boolean {
    return this.#optional.some(({ task }) => task !== undefined);
  }

  offer(file: LogFile): void {
    for (const one of this.#optional) {
      if (one.task === undefined && one.place.away === undefined)
        this.#run(one, async () => await one.place.take(file));
      else one.lookAtMs = 0;
    }
  }

  /** Begins to fill what is due. Throws what is a defect. */
  look(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
    for (const one of this.#optional) {
      if (one.task !== undefined || one.place.away !== undefined || this.#clock.monotonicMs() < one.lookAtMs) continue;
      one.lookAtMs = this.#clock.monotonicMs() + lookMs;
      this.#run(one, async () => await this.#fill(one.place));
    }
  }

  async ended(): Promise<void> {
    await Promise.all(this.#optional.map(async ({ task }) => await task));
  }

  #run(one: Optional, body: () => Promise<void>): void {
    one.task = body()
      .catch((error: unknown) => {
        if (!(error instanceof HoldfastError)) this.#fault = { error };
        else if (!isOfFile(error)) one.lookAtMs = 0;
      })
      .finally(() => (one.task = undefined));
  }

  /** What fails is blamed on the place that it was asked of. */
  async #fill(to: ArchivePlace): Promise<void> {
    const from = this.#required.find(({ away }) => away === undefined);
    if (from === undefined) return;
    const held = await from.use(async ({ store }) => await store.list());
    const there = await to.use(async ({ store }) => await store.list());
    for (const epoch of held.histories.filter((one) => !there.histories.includes(one))) {
      const history = await from.use(async ({ store }) => await store.getHistory(epoch));
      await to.use(async ({ store }) => await store.putHistory(history));
    }
    for (const extent of lacking(held.partials, there.partials)) {
      const bytes = await from.use(async ({ store }) => await store.getPartial(extent));
      await to.use(async ({ store }) => await store.putPartial(extent, bytes));
    }
    await this.#copySegments(from, to, lacking(held.segments, there.segments));
  }

  /** The newest first: they are asked for most, and the window ends somewhere before. */
  async #copySegments(from: ArchivePlace, to: ArchivePlace, extents: readonly Extent[]): Promise<void> {
    const sinceNs = this.#clock.nowNs() - BigInt(Math.round(to.windowMs)) * 1_000_000n;
    for (const extent of extents.toReversed()) {
      this.#signal.throwIfAborted();
      const about = await from.use(async ({ store }) => await store.about(extent));
      if (about?.times !== undefined && about.times.latestNs < sinceNs) return;
      const bytes = await from.use(async ({ store }) => await store.get(extent));
      const noted = { times: about?.times, facts: about?.facts ?? {} };
      await to.use(async ({ store }) => await store.put(extent, bytes, noted));
    }
  }
}

function lacking(held: readonly Extent[], there: readonly Extent[]): readonly Extent[] {
  const known = new Set(there.map(keyOf));
  return held.filter((extent) => !known.has(keyOf(extent)));
}
