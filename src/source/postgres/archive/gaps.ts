import { HoldfastError } from '../../../errors/error.ts';
import type { Listener } from '../../../events/events.ts';
import { orAborted } from '../../../flow/abort.ts';
import type { Extent, LogName } from '../../../log/log.ts';
import { lsnText } from '../lsn.ts';
import type { ArchiveWork } from '../../log.ts';
import { joined, within, without } from './extents.ts';
import { isConflict, type ArchivePlace } from './place.ts';
import { unreadableOf } from './unreadable.ts';
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
  /** Resolves before it is said that a place lacks what was dropped. */
  readonly onLacking?: () => Promise<void>;
}

/** A segment that was dropped. */
export interface Dropped extends Extent {
  /** Repositories in which another's stands under its name: those lack it though they hold something there. */
  readonly takenIn: readonly string[];
}

/** What was dropped, or a part of that: it is said as a whole, once the server has let go of all of it. */
interface Stretch extends Extent {
  readonly note: Dropped;
  /** The server handed it over still when this worker began, or could not be told that it was dropped. */
  readonly isKept: boolean;
  readonly saidIn: Set<ArchivePlace>;
}

/**
 * Segments that were dropped so that production's disk doesn't fill. They are noted in the spool before the server may
 * remove them, and said in every place that lacks them once the server has let go of them and the place can be reached: what was
 * lost is known by name. What the server hands over again, for a marker was lost or it crashed amidst its success, is no gap
 * once it is stored. Where another's log stands under those names, or before them, the place itself stays as it is, and they are told and
 * recorded alone: until that is done they are noted, so that the next worker does it where this one is killed, or can't.
 */
export class Gaps {
  readonly #options: GapOptions;
  #stretches: readonly Stretch[];
  #areRecorded = true;
  readonly #running = new Map<ArchivePlace, Promise<void>>();
  #telling = 0;
  #fault: { readonly error: unknown } | undefined;

  constructor(options: GapOptions) {
    this.#options = options;
    this.#stretches = options.notes.gaps().map(stretchOf);
  }

  /** That are not said yet everywhere. */
  get areAny(): boolean {
    return this.#stretches.length > 0;
  }

  /** What the server hands over after all is not dropped yet: a worker was killed before that, or found no room for the marker. */
  spare(handedOver: readonly Extent[]): void {
    this.#stretches = inOrder(
      this.#stretches.flatMap((one) => [
        ...partsOf(one, without(one, handedOver), one.isKept),
        ...partsOf(one, within(one, handedOver), true),
      ]),
    );
  }

  /** Every required place has it after all. */
  release(stored: Extent): void {
    const before = this.#stretches;
    this.#stretches = before.flatMap((one) => partsOf(one, without(one, [stored]), one.isKept));
    this.#forget(before.map(({ note }) => note));
  }

  /** Noted, and lasting, when it resolves. 'storage-full' where the spool takes no name: then nothing may be dropped. */
  async add(dropped: readonly Dropped[], reason: string): Promise<void> {
    const added = joined(
      dropped.flatMap((one) => without(one, this.#droppedAs(one)).map((extent) => ({ ...one, ...extent }))),
      (one, other) => one.takenIn.join() === other.takenIn.join(),
    );
    if (added.length === 0) return;
    await this.#options.notes.addGaps(added);
    this.#stretches = inOrder([...this.#stretches, ...added.map(stretchOf)]);
    const { component } = this.#options.name;
    this.#options.listener({ kind: 'note', name: 'base-backup-due', data: { component, reason } });
  }

  #droppedAs({ takenIn }: Dropped): readonly Extent[] {
    return this.#stretches.filter(({ isKept, note }) => !isKept && takenIn.every((one) => note.takenIn.includes(one)));
  }

  /** Says what the server has let go of where it can be said now, in each place by itself. Throws what is a defect. */
  look(handedOver: readonly Extent[]): void {
    if (this.#fault !== undefined) throw this.#fault.error;
    const due = this.#stretches.filter((one) => within(one, handedOver).length === 0);
    for (const place of this.#options.places) {
      const unsaid = due.filter(({ saidIn }) => !saidIn.has(place));
      if (unsaid.length === 0 || this.#running.has(place) || place.away !== undefined) continue;
      const saying = this.#say(place, unsaid)
        .catch((error: unknown) => void (this.#fault = { error }))
        .finally(() => this.#running.delete(place));
      this.#running.set(place, saying);
    }
  }

  /** Some of it may not be seen yet in the place that lacks it. */
  get isTelling(): boolean {
    return this.#telling > 0;
  }

  async ended(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #say(place: ArchivePlace, due: readonly Stretch[]): Promise<void> {
    try {
      await this.#sayIn(place, due);
    } catch (error) {
      if (!(error instanceof HoldfastError) || isConflict(error)) throw error;
      return; // the place tells it, and is asked again
    }
    for (const { saidIn } of due) saidIn.add(place);
    const { places } = this.#options;
    this.#stretches = this.#stretches.filter(({ saidIn }) => !places.every((one) => saidIn.has(one)));
    this.#forget(
      due.map(({ note }) => note),
      place,
    );
  }

  async #sayIn(place: ArchivePlace, due: readonly Stretch[]): Promise<void> {
    const { segments, gaps, unreadable } = await place.use(async ({ store }, signal) => {
      const listing = await store.list({ signal });
      const standing = listing.segments.filter((one) => due.some((dropped) => within(dropped, [one]).length > 0));
      return { ...listing, unreadable: await unreadableOf(store, standing) };
    });
    const lost = unreadable.filter((one) => !place.taken.has(one)).flatMap((one) => without(one, gaps));
    const lacking: Extent[] = [];
    for (const one of due) lacking.push(...without(one, [...segments, ...gaps, ...lacking]));
    const behind = joined(lacking.filter((one) => place.taken.has(one)));
    const own = joined(lacking.filter((one) => !place.taken.has(one)));
    if (own.length + lost.length > 0) await this.#put(own, lost, place);
    for (const gap of behind) this.#tell(place, gap, reasons.behind);
    const taken = due.filter(({ note }) => note.takenIn.includes(place.repository));
    if (own.length > 0 && taken.length === 0) this.#options.onSaid?.(place);
    for (const gap of taken.flatMap((one) => within(one, segments))) this.#tell(place, gap, reasons.taken);
    if (taken.length + behind.length > 0) await this.#record();
  }

  async #record(): Promise<void> {
    const { areRecorded, signal } = this.#options;
    if (areRecorded !== undefined && !(await orAborted(areRecorded(), signal))) this.#areRecorded = false;
  }

  /** Those of which nothing is left to be said, or nothing of what stands in their way in this place. */
  #forget(notes: readonly Dropped[], place?: ArchivePlace): void {
    if (!this.#areRecorded) return;
    for (const note of new Set(notes)) {
      const left = this.#stretches.filter((one) => isSame(one.note, note));
      if (left.length === 0) this.#options.notes.forgetGap(note);
      else if (place !== undefined && left.every(({ saidIn }) => saidIn.has(place)))
        this.#options.notes.forgetGap(note, place.repository);
    }
  }

  async #put(lacking: readonly Extent[], unreadable: readonly Extent[], place: ArchivePlace): Promise<void> {
    this.#telling++;
    try {
      await this.#options.onLacking?.();
      for (const gap of [...lacking, ...unreadable]) {
        const reason = unreadable.includes(gap) ? reasons.unreadable : reasons.dropped;
        await place.use(async ({ store }) => await store.putGap(gap, reason));
        this.#tell(place, gap, reason);
        if (reason === reasons.unreadable) this.#warnOfUnreadable(place, gap);
      }
    } finally {
      this.#telling--;
    }
  }

  /** As long as it stands there it passes for held wherever the place is only listed: no base backup is due by that. */
  #warnOfUnreadable({ repository }: ArchivePlace, { from, to }: Extent): void {
    const { listener, name } = this.#options;
    const message = `what ${repository} holds of the log from ${lsnText(from)} to ${lsnText(to)} can’t be read, and the server’s own was dropped, for more waited than push-queue-max allows: nothing behind it can be brought back from before it. Remove that one object by the storage’s own means, and take a base backup`;
    listener({ kind: 'warning', during: 'log', item: name.component, message });
  }

  #tell(place: ArchivePlace, gap: Extent, reason: string): void {
    const { listener, name } = this.#options;
    const [from, to] = [lsnText(gap.from), lsnText(gap.to)];
    const data = { ...name, repository: place.repository, epoch: gap.epoch, from, to, reason };
    listener({ kind: 'note', name: 'log-gap', data });
  }
}

function stretchOf(note: Dropped): Stretch {
  return { ...note, note, isKept: false, saidIn: new Set() };
}

function partsOf(one: Stretch, extents: readonly Extent[], isKept: boolean): readonly Stretch[] {
  return extents.map((extent) =>
    isSame(one, extent) ? { ...one, isKept } : { ...one, ...extent, isKept, saidIn: new Set(one.saidIn) },
  );
}

function inOrder(stretches: readonly Stretch[]): readonly Stretch[] {
  return stretches.toSorted((a, b) => a.epoch - b.epoch || Number(a.from - b.from));
}

function isSame(one: Extent, other: Extent): boolean {
  return one.epoch === other.epoch && one.from === other.from && one.to === other.to;
}

const why = 'more waited than push-queue-max allows: it was dropped, so that production goes on';
const reasons = {
  dropped: why,
  taken: `${why}; what stands there under these names is another’s log`,
  behind: `${why}; another’s log stands before it there`,
  unreadable: `${why}; what stands there under its name can’t be read`,
} as const;
