import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import type { Listener } from '../../../events/events.ts';
import { orAborted, withDeadline } from '../../../flow/abort.ts';
import { fill } from '../../../log/fill.ts';
import type { Lineage } from '../../../log/cover.ts';
import type { History, LogName, LogStore } from '../../../log/log.ts';
import { openLog } from '../../../log/store.ts';
import type { LogPlace } from '../../log.ts';
import { lsnText } from '../lsn.ts';
import { logConflicts, namingTimelines } from '../timeline-taken.ts';
import type { Feed, HeldSegment, Reader } from './feed.ts';
import { Kept } from './kept.ts';
import { notedSegment } from './noted-segment.ts';
import { reachedIn } from './reached.ts';

/**
 * What is written of an open segment is durable at least so often. A request to an object storage costs about as much as
 * a piece of some hundred KiB; every 2 s they are 43,000 a day, some 20 cents.
 */
const pieceMs = 2_000;

const [firstPauseMs, longestPauseMs] = [500, 10_000] as const;

/** Who is ended waits so long for its last piece: the server keeps what it doesn't get. */
const lastPieceMs = 10_000;

export interface PlaceOptions {
  readonly place: LogPlace;
  readonly name: LogName;
  readonly feed: Feed;
  readonly clock: Clock;
  readonly listener: Listener;
  readonly lineage: () => Lineage;
  readonly histories: () => readonly History[];
  /** The other places, from which this one can be filled. */
  readonly others: () => readonly Place[];
  /** Where the log was begun in this run: what an empty place has it from. */
  readonly begun: () => bigint;
  /** Before it the server has nothing any more, and why. */
  readonly lost: () => { readonly before: bigint; readonly reason: string };
  /** Has the server send from an earlier position again. */
  readonly rewind: (to: bigint) => void;
  readonly onDurable: () => void;
}

/** One repository that a log goes to, at its own pace. */
export class Place implements Reader {
  readonly #options: PlaceOptions;
  #kept: Kept | undefined;
  #sequence: number | undefined;
  #durable: bigint | undefined;
  #away: string | undefined;
  #epoch: number | undefined;

  constructor(options: PlaceOptions) {
    this.#options = options;
  }

  get repository(): string {
    return this.#options.place.repository;
  }

  get required(): boolean {
    return this.#options.place.required;
  }

  get sequence(): number | undefined {
    return this.#sequence;
  }

  /** Up to here nothing is missing; undefined while nobody knows. */
  get durable(): bigint | undefined {
    return this.#durable;
  }

  /** Why it can't be written to just now. */
  get away(): string | undefined {
    return this.#away;
  }

  get store(): LogStore | undefined {
    return this.#away === undefined ? this.#kept?.store : undefined;
  }

  /** Opens it and learns how far it has come; undefined where it holds nothing of this log. */
  async open(signal: AbortSignal): Promise<bigint | undefined> {
    const { place, name, lineage } = this.#options;
    const repository = await orAborted(place.open(), signal);
    await using opening = new AsyncDisposableStack();
    const kept = opening.use(new Kept(repository, openLog(repository, name)));
    const listing = await orAborted(kept.look(), signal);
    await orAborted(this.#putHistories(kept.store), signal);
    opening.move();
    this.#kept = kept;
    const reached = reachedIn(listing, lineage());
    // One that was empty when the log began, and never came to write, still needs it from there.
    this.#durable = reached ?? this.#durable;
    return reached;
  }

  /** Takes segments until it is aborted. Throws what no other attempt can mend. */
  async run(signal: AbortSignal): Promise<void> {
    await using _closing = { [Symbol.asyncDispose]: async () => await this.#close() };
    for (let attempt = 0; ; attempt++) {
      try {
        if (this.#kept === undefined) await this.open(signal);
        this.#back();
        for (;;) {
          await this.#take(await this.#next(signal), signal);
          attempt = 0;
        }
      } catch (error) {
        if (signal.aborted) await this.#lastPiece();
        signal.throwIfAborted();
        if (!(error instanceof HoldfastError) || hasCode(error, ...logConflicts, 'unsupported', 'internal'))
          throw error;
        await this.#leave(error);
        const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10));
        await this.#options.clock.sleep(pauseMs, signal);
      }
    }
  }

  async #next(signal: AbortSignal): Promise<HeldSegment> {
    const { feed } = this.#options;
    for (;;) {
      await feed.begun(signal);
      if (this.#sequence === undefined) await this.#locate(signal);
      const held = this.#sequence === undefined ? undefined : await feed.segment(this.#sequence, signal);
      if (held !== undefined) return held;
      this.#sequence = undefined;
    }
  }

  /** Which of what the feed holds is next here; what it doesn't hold any more comes from another place. */
  async #locate(signal: AbortSignal): Promise<void> {
    const { feed, clock, others, begun, lost, rewind } = this.#options;
    const oldest = feed.oldest;
    if (oldest === undefined) return;
    this.#durable ??= begun();
    if (this.#durable >= oldest.extent.from) {
      this.#sequence = feed.find(this.#durable)?.sequence;
      return;
    }
    const before = this.#durable;
    for (const { store, required } of others())
      if (store !== undefined && required) await this.#fillFrom(store, oldest.extent.from, signal);
    if (this.#durable > before || feed.oldest !== oldest) return;
    if (this.required && this.#durable >= lost().before) {
      rewind(this.#durable);
      await clock.sleep(firstPauseMs, signal);
      return;
    }
    await this.#gap(oldest);
  }

  async #fillFrom(from: LogStore, until: bigint, signal: AbortSignal): Promise<void> {
    const { lineage, onDurable } = this.#options;
    const at = this.#durable;
    const to = this.#kept?.store;
    if (to === undefined || at === undefined) return;
    const reached = await fill({ from, to, lineage: lineage(), at, until, signal, notedOf: notedSegment });
    this.#durable = reached > at ? reached : at;
    onDurable();
  }

  /** Nobody has what stands before a segment. */
  async #gap({ extent: { epoch }, since }: HeldSegment): Promise<void> {
    const { lost, listener, name, onDurable } = this.#options;
    if (this.#kept === undefined || this.#durable === undefined) return;
    const extent = { epoch, from: this.#durable, to: since };
    const { reason } = lost();
    await this.#kept.store.putGap(extent, reason);
    const { component, stream } = name;
    const [from, to] = [lsnText(extent.from), lsnText(extent.to)];
    const data = { component, repository: this.repository, stream, epoch, from, to, reason };
    listener({ kind: 'note', name: 'log-gap', data });
    this.#durable = since;
    onDurable();
  }

  async #take(segment: HeldSegment, signal: AbortSignal): Promise<void> {
    const { feed, onDurable } = this.#options;
    const { epoch } = segment.extent;
    if (this.#epoch !== undefined && this.#epoch !== epoch) await this.#enterEpoch(segment);
    this.#epoch = epoch;
    if (this.#durable !== undefined && segment.since > this.#durable) await this.#gap(segment);
    while (segment.state === 'open') {
      await this.#pause(segment, signal);
      if (segment.state === 'open') await orAborted(this.#piece(segment), signal);
    }
    await orAborted(this.#finish(segment), signal);
    this.#sequence = segment.sequence + 1;
    feed.passed();
    onDurable();
  }

  /** What an older epoch wrote beyond the fork is none of this one's. */
  async #enterEpoch({ since }: HeldSegment): Promise<void> {
    await this.#putHistories(this.#opened.store);
    if (this.#durable !== undefined && this.#durable > since) this.#durable = since;
  }

  async #putHistories(store: LogStore): Promise<void> {
    for (const history of this.#options.histories())
      await this.#naming(store, history.epoch, async () => await store.putHistory(history));
  }

  async #naming<T>(store: LogStore, epoch: number, part: () => Promise<T>): Promise<T> {
    const own = async (): Promise<History | undefined> => this.#options.histories().find((one) => one.epoch === epoch);
    return await namingTimelines({ store, repository: this.repository, epoch, own, writer: 'the server' }, part);
  }

  async #pause({ closed }: HeldSegment, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    const slept = this.#options.clock.sleep(pieceMs, until).catch(() => undefined); // the segment was closed before
    await Promise.race([slept, closed]);
    over.abort();
    await slept;
    signal.throwIfAborted();
  }

  /** Nothing is called durable that was written nowhere. */
  get #opened(): Kept {
    if (this.#kept === undefined) throw new HoldfastError('internal', `${this.repository} is closed`);
    return this.#kept;
  }

  async #piece(segment: HeldSegment): Promise<void> {
    const { end } = segment;
    await this.#naming(this.#opened.store, segment.extent.epoch, async () => await this.#opened.piece(segment));
    this.#reach(end);
  }

  async #finish(segment: HeldSegment): Promise<void> {
    const { end } = segment;
    await this.#naming(this.#opened.store, segment.extent.epoch, async () => await this.#keep(segment));
    this.#reach(end);
  }

  async #keep(segment: HeldSegment): Promise<void> {
    const { extent, state } = segment;
    if (state === 'cut') await this.#opened.piece(segment);
    else if (state === 'partial') await this.#opened.partial(segment);
    else if (this.#durable === undefined || this.#durable < extent.to) await this.#opened.whole(segment);
    else await this.#opened.forget(segment);
  }

  #reach(position: bigint): void {
    if (this.#durable === undefined || position > this.#durable) this.#durable = position;
    this.#options.onDurable();
  }

  async #lastPiece(): Promise<void> {
    const { feed, clock, listener, name } = this.#options;
    const segment = feed.oldest === undefined || this.#sequence === undefined ? undefined : feed.held(this.#sequence);
    if (segment?.state !== 'open' || this.#away !== undefined) return;
    const late = (): HoldfastError => new HoldfastError('storage-timeout', `${this.repository} took too long`);
    try {
      await withDeadline({ ms: lastPieceMs, clock, error: late }, async () => await this.#piece(segment));
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      const data = { component: name.component, repository: this.repository, reason: error.message };
      listener({ kind: 'note', name: 'log-last-piece-failed', data });
    }
  }

  async #leave(error: HoldfastError): Promise<void> {
    const { listener, name } = this.#options;
    const next = hasCode(error, 'storage-exists') ? `. ${error.next}` : '';
    if (this.#away === undefined)
      listener({
        ...{ kind: 'warning', during: 'log', item: name.component },
        message: `${this.repository} does not take the log: ${error.message}; it is tried again${next}`,
      });
    this.#away = error.message;
    this.#sequence = undefined;
    await this.#close();
  }

  #back(): void {
    const { listener, name } = this.#options;
    if (this.#away === undefined) return;
    this.#away = undefined;
    listener({
      kind: 'note',
      name: 'log-place-back',
      data: { component: name.component, repository: this.repository },
    });
  }

  async #close(): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    await kept?.[Symbol.asyncDispose]();
  }
}
