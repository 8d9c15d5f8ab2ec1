import { HoldfastError, hasCode } from '../../../errors/error.ts';
import type { Listener } from '../../../events/events.ts';
import { orAborted } from '../../../flow/abort.ts';
import type { Extent, LogName } from '../../../log/log.ts';
import { lsnText } from '../lsn.ts';
import type { ArchiveWork } from '../../log.ts';
import { joined, within, without } from './extents.ts';
import { isConflict, type ArchivePlace } from './place.ts';
import type { Notes } from './notes.ts';

export interface GapOptions {
  readonly notes: Notes;
  readonly places: readonly ArchivePlace[];
  readonly name: LogName;
  readonly listener: Listener;
  /** A gap was said in a place where nothing is another's: whoever has what was dropped may give it to that place. */
  readonly onSaid?: (place: ArchivePlace) => void;
  readonly areRecorded?: ArchiveWork['areRecorded'];
  readonly signal: AbortSignal;
}

/** A segment that was dropped. */
export interface Dropped extends Extent {
  /** Repositories in which another's stands under its name: those lack it though they hold something there. */
  readonly takenIn: readonly string[];
}

/**
 * Segments that were dropped so that production's disk doesn't fill. They are noted in the spool before the server may
 * remove them, and said in every place that lacks them once it can be reached: what was lost is known by name. Where
 * another's log stands under those names the place itself stays as it is, and they are told and recorded alone: until that is
 * done they are noted, so that the next worker does it where this one is killed, or can't.
 */
export class Gaps {
  readonly #options: GapOptions;
  #dropped: readonly Dropped[];
  /** Noted, and spared since, where no note could be made of what is left of them: forgotten with the others. */
  #stale: readonly Dropped[] = [];
  #additions = 0;
  #areRecorded = true;
  readonly #said = new Set<ArchivePlace>();
  readonly #running = new Map<ArchivePlace, Promise<void>>();
  #fault: { readonly error: unknown } | undefined;

  constructor(options: GapOptions) {
    this.#options = options;
    this.#dropped = options.notes.gaps();
  }

  /** That are not said yet everywhere. */
  get areAny(): boolean {
    return this.#dropped.length > 0;
  }

  /** What the server hands over after all is not dropped yet: a worker was killed before that, or found no room for the marker. */
  async spare(handedOver: readonly Extent[]): Promise<void> {
    const dropped: Dropped[] = [];
    for (const one of this.#dropped) {
      const left = without(one, handedOver).map((extent) => ({ ...one, ...extent }));
      dropped.push(...left);
      if (!left.some(({ from, to }) => from === one.from && to === one.to)) await this.#replace(one, left);
    }
    this.#dropped = dropped;
  }

  async #replace(one: Dropped, left: readonly Dropped[]): Promise<void> {
    const { notes } = this.#options;
    try {
      await notes.addGaps(left);
      notes.forgetGap(one);
    } catch (error) {
      if (!hasCode(error, 'storage-full')) throw error;
      this.#stale = [...this.#stale, one];
    }
  }

  /** Noted, and lasting, when it resolves. 'storage-full' where the spool takes no name: then nothing may be dropped. */
  async add(dropped: readonly Dropped[], reason: string): Promise<void> {
    const added = joined(
      dropped.flatMap((one) => without(one, this.#dropped).map((extent) => ({ ...one, ...extent }))),
      (one, other) => one.takenIn.join() === other.takenIn.join(),
    );
    if (added.length === 0) return;
    await this.#options.notes.addGaps(added);
    this.#dropped = [...this.#dropped, ...added].toSorted((a, b) => a.epoch - b.epoch || Number(a.from - b.from));
    this.#additions++;
    this.#said.clear();
    const { component } = this.#options.name;
    this.#options.listener({ kind: 'note', name: 'base-backup-due', data: { component, reason } });
  }

  /** Says them where it can be said now, in each place by itself. Throws what is a defect. */
  look(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
    if (this.#dropped.length === 0) return;
    for (const place of this.#options.places) {
      if (this.#said.has(place) || this.#running.has(place) || place.away !== undefined) continue;
      const saying = this.#say(place)
        .catch((error: unknown) => void (this.#fault = { error }))
        .finally(() => this.#running.delete(place));
      this.#running.set(place, saying);
    }
  }

  async ended(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #say(place: ArchivePlace): Promise<void> {
    const additions = this.#additions;
    try {
      await this.#sayIn(place);
    } catch (error) {
      if (!(error instanceof HoldfastError) || isConflict(error)) throw error;
      return; // the place tells it, and is asked again
    }
    if (this.#additions === additions) this.#said.add(place);
    if (!this.#options.places.every((one) => this.#said.has(one))) return;
    if (this.#areRecorded) for (const one of [...this.#dropped, ...this.#stale]) this.#options.notes.forgetGap(one);
    [this.#dropped, this.#stale] = [[], []];
  }

  async #sayIn(place: ArchivePlace): Promise<void> {
    const dropped = this.#dropped;
    const { segments, gaps } = await place.use(async ({ store }) => await store.list());
    const lacking = joined(dropped.flatMap((one) => without(one, [...segments, ...gaps])));
    for (const gap of lacking) {
      await place.use(async ({ store }) => await store.putGap(gap, reasons.dropped));
      this.#tell(place, gap, reasons.dropped);
    }
    const { repository } = place;
    const taken = dropped.filter(({ takenIn }) => takenIn.includes(repository));
    if (lacking.length > 0 && taken.length === 0) this.#options.onSaid?.(place);
    for (const gap of taken.flatMap((one) => within(one, segments))) this.#tell(place, gap, reasons.taken);
    if (taken.length > 0) await this.#record();
    for (const one of taken) {
      if (this.#areRecorded) this.#options.notes.forgetGap(one, repository);
      this.#dropped = this.#dropped.map((each) =>
        each.epoch === one.epoch && each.from === one.from
          ? { ...each, takenIn: each.takenIn.filter((name) => name !== repository) }
          : each,
      );
    }
  }

  async #record(): Promise<void> {
    const { areRecorded, signal } = this.#options;
    if (areRecorded !== undefined && !(await orAborted(areRecorded(), signal))) this.#areRecorded = false;
  }

  #tell(place: ArchivePlace, gap: Extent, reason: string): void {
    const { listener, name } = this.#options;
    const [from, to] = [lsnText(gap.from), lsnText(gap.to)];
    const data = { ...name, repository: place.repository, epoch: gap.epoch, from, to, reason };
    listener({ kind: 'note', name: 'log-gap', data });
  }
}

const why = 'more waited than push-queue-max allows: it was dropped, so that production goes on';
const reasons = { dropped: why, taken: `${why}; what stands there under these names is another’s log` } as const;
