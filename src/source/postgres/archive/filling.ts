import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import type { Extent } from '../../../log/log.ts';
import type { Listener } from '../../../events/events.ts';
import type { Holding } from './at-hand.ts';
import { copyHoles, copyLog } from './copy-log.ts';
import type { LogFile } from './log-file.ts';
import { isConflict, type ArchivePlace } from './place.ts';
import type { Notes } from './notes.ts';
import { Warnings } from './warnings.ts';

/** How long a place that is filled is not looked at again. */
const lookMs = 5 * 60_000;

/** A place that is filled from others. */
interface Filled {
  readonly place: ArchivePlace;
  /** When it is compared with a required place again; at once where it is 0. */
  lookAtMs: number;
  /** Another's stands there under the name of a file: nothing is put behind it any more. */
  isTaken: boolean;
  /** With which it was compared; of a required one each other is, once, and once more behind a gap. */
  compared: Set<ArchivePlace>;
  /** What both held when they were opened tells no more what it lacks. */
  isListedAnew: boolean;
  task: Promise<void> | undefined;
}

interface FillingOptions {
  readonly component: string;
  readonly clock: Clock;
  readonly listener: Listener;
  readonly signal: AbortSignal;
  readonly notes: Notes;
  /** Whether the server still hands this over, or something before it in the log: then whose it is may not be known yet. */
  readonly isToCome?: (extent: Extent) => boolean;
}

/**
 * Places that aren't required get each file once a required one has it, one at a time and beside everything else: what
 * comes while they are busy or away is copied from a required place afterwards. A required place gets each file before it
 * counts as durable, but may not have been required before: its holes are filled once from every other (copy-log.ts), and once
 * more where a gap was said there, for another may have what was dropped. One that
 * held nothing at first, required or not, is noted in the spool until it was given all: a kill amidst that leaves nothing out.
 * Nothing waits for any of this. What the server still hands over is copied once it was held against what stands there
 * under its name: it may be another's, and comes by itself.
 */
export class Filling {
  readonly #places: readonly ArchivePlace[];
  readonly #filled: readonly Filled[];
  readonly #options: FillingOptions;
  readonly #warnings: Warnings;
  #fault: { readonly error: unknown } | undefined;

  constructor(places: readonly ArchivePlace[], options: FillingOptions) {
    this.#places = places;
    this.#filled = places.map((place) => ({
      ...{ place, lookAtMs: 0, isTaken: false, compared: new Set([place]), isListedAnew: false, task: undefined },
    }));
    this.#options = options;
    this.#warnings = new Warnings(options);
  }

  get isBusy(): boolean {
    return this.#filled.some(({ task }) => task !== undefined);
  }

  /** Resolves once nobody needs the file any more. */
  async offer(file: LogFile, held?: Pick<Holding, 'again'>): Promise<void> {
    const optional = this.#filled.filter(({ place }) => !place.required);
    const taking = optional.filter(isFree);
    for (const one of optional) if (!taking.includes(one)) one.lookAtMs = 0;
    await Promise.all(taking.map(async (one) => await this.#run(one, async () => await one.place.take(file, held))));
  }

  /** What was dropped before it came there may be held by others: it is compared once more with each. */
  compareAgain(place: ArchivePlace): void {
    for (const one of this.#filled.filter((each) => each.place === place))
      [one.compared, one.isListedAnew] = [new Set([place]), true];
  }

  /** Begins to fill what is due. Throws what is a defect. */
  look(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
    const { clock } = this.#options;
    for (const one of this.#filled.filter(isFree)) {
      const from = this.#sourceOf(one);
      if (from === undefined || clock.monotonicMs() < one.lookAtMs) continue;
      one.lookAtMs = one.place.required ? 0 : clock.monotonicMs() + lookMs;
      void this.#run(one, async () => await this.#fill(one, from));
    }
  }

  async ended(): Promise<void> {
    await Promise.all(this.#filled.map(async ({ task }) => await task));
  }

  #sourceOf({ place, compared }: Filled): ArchivePlace | undefined {
    const isSource = (other: ArchivePlace): boolean => (place.required ? !compared.has(other) : other.required);
    return this.#places.find((other) => isSource(other) && other.away === undefined);
  }

  async #fill({ place: to, compared, isListedAnew }: Filled, from: ArchivePlace): Promise<void> {
    const { clock, signal, notes, isToCome } = this.#options;
    const sinceNs = clock.nowNs() - BigInt(Math.round(to.windowMs)) * 1_000_000n;
    const onUnreadable = (what: string, { message }: HoldfastError): void =>
      this.#warnings.once(`${to.repository} does not get ${what} from ${from.repository}: ${message}`);
    const copying = {
      from,
      to,
      sinceNs,
      signal,
      isListedAnew,
      isToCome,
      onUnreadable,
      isDueAll: () => notes.isNew(to.repository),
    };
    if (!to.required) {
      const isSourceNew = notes.isNew(from.repository);
      await copyLog(copying);
      if (!isSourceNew && !notes.isNew(from.repository)) notes.forgetNew(to.repository); // it lacks what its source lacks
      return;
    }
    try {
      await copyHoles(copying);
    } catch (error) {
      if (!isConflict(error) && !hasCode(error, 'storage-exists')) throw error;
      this.#warnings.once(`${to.repository} gets nothing of what ${from.repository} holds: ${error.message}`);
    }
    compared.add(from);
    if (this.#places.every((place) => compared.has(place))) notes.forgetNew(to.repository);
  }

  /** Never rejects. */
  async #run(one: Filled, body: () => Promise<void>): Promise<void> {
    const task = body()
      .catch((error: unknown) => {
        if (!(error instanceof HoldfastError)) this.#fault = { error };
        else if (isConflict(error)) this.#stop(one, error);
        else if (!hasCode(error, 'storage-exists')) one.lookAtMs = 0; // which stands there until a person removes it
      })
      .finally(() => (one.task = undefined));
    one.task = task;
    await task;
  }

  /** Until the worker is started again: somebody has to look first. */
  #stop(one: Filled, { message }: HoldfastError): void {
    if (one.isTaken) return;
    one.isTaken = true;
    this.#warnings.once(`${one.place.repository} gets no more of the log: ${message}`);
  }
}

function isFree({ task, place, isTaken }: Filled): boolean {
  return task === undefined && !isTaken && place.away === undefined;
}
