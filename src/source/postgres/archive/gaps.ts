import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { Listener } from '../../../events/events.ts';
import type { Extent, LogName } from '../../../log/log.ts';
import { lsnText } from '../lsn.ts';
import { isOfFile, keyOf, type ArchivePlace } from './place.ts';
import type { Spool } from './spool.ts';

export interface GapOptions {
  readonly spool: Spool;
  readonly places: readonly ArchivePlace[];
  readonly name: LogName;
  readonly listener: Listener;
  readonly clock: Clock;
}

/**
 * Segments that were dropped so that production's disk doesn't fill. They are noted in the spool before the server may
 * remove them, and said in every place that lacks them once it can be reached: what was lost is known by name.
 */
export class Gaps {
  readonly #options: GapOptions;
  /** Each by itself: a place may hold some of them. */
  #extents: readonly Extent[];
  readonly #said = new Set<ArchivePlace>();
  #running: Promise<void> | undefined;
  #fault: { readonly error: unknown } | undefined;

  constructor(options: GapOptions) {
    this.#options = options;
    this.#extents = options.spool.gaps();
  }

  /** Noted, and lasting, when it resolves. */
  async add(extents: readonly Extent[], reason: string): Promise<void> {
    const known = new Set(this.#extents.map(keyOf));
    const added = extents.filter((extent) => !known.has(keyOf(extent)));
    if (added.length === 0) return;
    const all = [...this.#extents, ...added].toSorted((a, b) => a.epoch - b.epoch || Number(a.from - b.from));
    await this.#options.spool.noteGaps(all);
    this.#extents = all;
    this.#said.clear();
    const { component } = this.#options.name;
    this.#options.listener({ kind: 'note', name: 'base-backup-due', data: { component, reason } });
  }

  /** Says them where it can be said now. Throws what is a defect. */
  look(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
    const due = this.#options.places.filter((place) => !this.#said.has(place) && place.away === undefined);
    if (this.#extents.length === 0 || this.#running !== undefined || due.length === 0) return;
    this.#running = this.#say(due, this.#extents)
      .catch((error: unknown) => (this.#fault = { error }))
      .then(() => (this.#running = undefined));
  }

  async ended(): Promise<void> {
    await this.#running;
  }

  async #say(places: readonly ArchivePlace[], extents: readonly Extent[]): Promise<void> {
    for (const place of places) {
      try {
        for (const gap of await lackingIn(place, extents)) await this.#put(place, gap);
        if (this.#extents === extents) this.#said.add(place);
      } catch (error) {
        if (!(error instanceof HoldfastError) || isOfFile(error)) throw error;
      }
    }
    if (this.#extents !== extents || this.#options.places.some((place) => !this.#said.has(place))) return;
    await this.#options.spool.noteGaps([]);
    this.#extents = [];
  }

  async #put(place: ArchivePlace, gap: Extent): Promise<void> {
    const { listener, name } = this.#options;
    await place.use(async ({ store }) => await store.putGap(gap, dropped));
    const [from, to] = [lsnText(gap.from), lsnText(gap.to)];
    const data = { ...name, repository: place.repository, epoch: gap.epoch, from, to, reason: dropped };
    listener({ kind: 'note', name: 'log-gap', data });
  }
}

const dropped = 'more waited than push-queue-max allows: it was dropped, so that production goes on';

/** Those that it neither holds nor names, joined where they touch. */
async function lackingIn(place: ArchivePlace, extents: readonly Extent[]): Promise<readonly Extent[]> {
  const { segments, gaps } = await place.use(async ({ store }) => await store.list());
  const held = new Set(segments.map(keyOf));
  const isNamed = ({ epoch, from, to }: Extent): boolean =>
    gaps.some((gap) => gap.epoch === epoch && gap.from <= from && to <= gap.to);
  const joined: Extent[] = [];
  for (const extent of extents.filter((one) => !held.has(keyOf(one)) && !isNamed(one))) {
    const last = joined.at(-1);
    if (last?.epoch === extent.epoch && last.to === extent.from) joined[joined.length - 1] = { ...last, to: extent.to };
    else joined.push(extent);
  }
  return joined;
}
