import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import type { Listener } from '../../../events/events.ts';
import { orAborted, withDeadline } from '../../../flow/abort.ts';
import type { Extent, History, Listing, LogName, LogStore } from '../../../log/log.ts';
import { openLog } from '../../../log/store.ts';
import type { Repository } from '../../../repository/repository.ts';
import type { LogPlace } from '../../log.ts';
import { logConflicts, namingTimelines } from '../timeline-taken.ts';
import type { Holding } from './at-hand.ts';
import { assureTimeline, type Timelines } from './timelines.ts';
import { Taken, type TakenAt } from './taken.ts';
import { epochOf, mostAhead, ownHistory, storeLogFile, type LogFile } from './log-file.ts';

export interface PlaceOptions {
  /** Of the server that hands it over. */
  readonly dataDirectory: string;
  readonly place: LogPlace;
  readonly name: LogName;
  readonly clock: Clock;
  readonly listener: Listener;
  readonly signal: AbortSignal;
  /** Told of a place that holds no segment, before it is given any. */
  readonly onEmpty?: (() => Promise<void>) | undefined;
  /** What is known of another's log there; this place says what it finds. */
  readonly taken?: Taken;
}

const [firstPauseMs, longestPauseMs] = [1_000, 30_000] as const;
/** What hangs while it is closed keeps nobody waiting for longer. */
const closingMs = 1_000;

/** Another's stands under its name. */
export function isConflict(error: unknown): error is HoldfastError {
  return hasCode(error, ...logConflicts);
}

/** What is wrong with the file, or with what stands under its name, not with the place: no other attempt mends it. */
export function isOfFile(error: unknown): boolean {
  return isConflict(error) || hasCode(error, 'source-failed', 'storage-exists');
}

interface Opening {
  readonly repository: Promise<Repository>;
  readonly opened: Promise<Opened>;
  /** Ends all that is under way there. */
  readonly ending: AbortController;
  readonly signal: AbortSignal;
}

interface Opened extends Timelines {
  readonly repository: Repository;
  /** What it held when it was opened. */
  readonly listing: Listing;
  /** The segments of it: asked for what stands beside them before they are sent again. */
  readonly held: ReadonlySet<string>;
}

/** One repository that a log goes to; while it fails it is left alone for a time, and the others go on. */
export class ArchivePlace {
  readonly taken: Taken;
  readonly #options: PlaceOptions;
  #opening: Opening | undefined;
  /** Segments here that are the server's own: nothing is ever replaced. */
  readonly #compared = new Set<string>();
  /** What stands here and can't be read, each told once. */
  readonly #unreadable = new Set<string>();
  /** That of `#opening`, once it is open. */
  #current: Opened | undefined;
  readonly #closing = new Set<Promise<unknown>>();
  #failure: { readonly error: HoldfastError; readonly untilMs: number; readonly pauseMs: number } | undefined;

  constructor(options: PlaceOptions) {
    this.#options = options;
    this.taken = options.taken ?? new Taken();
  }

  get repository(): string {
    return this.#options.place.repository;
  }

  get required(): boolean {
    return this.#options.place.required;
  }

  get windowMs(): number {
    return this.#options.place.windowMs;
  }

  /** Whether nothing has come through since it failed, though it may be tried again. */
  get isFailing(): boolean {
    return this.#failure !== undefined;
  }

  /** Whether a segment here is known to be the server's own. */
  isOwn(extent: Extent): boolean {
    return this.#compared.has(keyOf(extent));
  }

  /** Why it isn't tried just now. */
  get away(): HoldfastError | undefined {
    const failure = this.#failure;
    return failure !== undefined && this.#options.clock.monotonicMs() < failure.untilMs ? failure.error : undefined;
  }

  /**
   * Whether a segment stands here between these that it held when it was opened, and that was not compared with ours since:
   * it may be another's, and then what comes behind it is none of its log. undefined: nobody knows before it is opened.
   */
  mayBeAnothers({ epoch, from, to }: Extent): boolean | undefined {
    if (this.#current === undefined) return undefined;
    const { segments } = this.#current.listing;
    for (let index = segments.length - 1; index >= 0; index--) {
      const one = segments[index];
      if (one === undefined || one.epoch < epoch || (one.epoch === epoch && one.from < from)) return false;
      if (one.epoch === epoch && one.from < to && !this.#compared.has(keyOf(one))) return true;
    }
    return false;
  }

  /**
   * Durable there when it resolves. Where it rejects, what is under way may read the file still: its memory is held until
   * that has come to its end.
   */
  async take(file: LogFile, holding?: Pick<Holding, 'again'>): Promise<void> {
    const { dataDirectory } = this.#options;
    await this.use(async (opened, signal) => {
      using _held = holding?.again();
      const { store, held } = opened;
      if (file.kind === 'segment' && (await isThere(file, store, held))) return this.#isOurs(file);
      if ('extent' in file) this.taken.assertNotBehind(file.extent, this.repository);
      const epoch = epochOf(file);
      const own = async (): Promise<History | undefined> => await ownHistory(dataDirectory, epoch);
      const written = { store, repository: this.repository, epoch, own, writer: `the server of ${dataDirectory}` };
      try {
        await namingTimelines(written, async () => {
          await assureTimeline(opened, { epoch, own, dataDirectory });
          signal.throwIfAborted();
          await this.#store(store, file);
        });
      } catch (error) {
        if (file.kind === 'segment' && isConflict(error)) await this.taken.add(file.extent);
        throw error;
      }
      if (file.kind === 'segment') this.#isOurs(file);
    });
  }

  #isOurs({ extent }: Segment): void {
    this.#compared.add(keyOf(extent));
    this.taken.release(extent);
  }

  /** What can't be read under a segment's name hides nobody's log: whatever stands behind it is compared by itself. */
  async #store(store: LogStore, file: LogFile): Promise<void> {
    try {
      await storeLogFile(store, file);
    } catch (error) {
      if (file.kind === 'segment' && hasCode(error, 'storage-exists')) this.#compared.add(keyOf(file.extent));
      throw error;
    }
  }

  /** Opens it where it isn't yet; a failure that is its own leaves it alone for a time, and ends all that is under way there. */
  async use<T>(body: (opened: Opened, signal: AbortSignal) => Promise<T>): Promise<T> {
    const { away } = this;
    if (away !== undefined) throw away;
    const opening = (this.#opening ??= this.#open());
    try {
      const opened = await opening.opened;
      if (this.#opening === opening) this.#current = opened;
      const done = await orAborted(body(opened, opening.signal), opening.signal);
      if (this.#opening === opening) this.#back();
      return done;
    } catch (error) {
      this.#options.signal.throwIfAborted();
      // Of those that fail together the first has closed it for all.
      if (hasCode(error, 'storage-exists')) this.#tellUnreadable(error);
      else if (error instanceof HoldfastError && !isOfFile(error) && this.#opening === opening) this.#leave(error);
      throw error;
    }
  }

  /** What is under way ends; resolves once it is closed, or hangs. */
  async close(): Promise<void> {
    const { clock } = this.#options;
    this.#letGo(new HoldfastError('interrupted', `${this.repository} is closed`));
    const error = (): Error => new HoldfastError('storage-timeout', `${this.repository} is not closed in time`);
    await Promise.allSettled([
      withDeadline({ ms: closingMs, clock, error }, async () => await Promise.all(this.#closing)),
    ]);
  }

  #open(): Opening {
    const ending = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, ending.signal]);
    const repository = this.#options.place.open();
    return { repository, opened: this.#opened(repository, signal), ending, signal };
  }

  async #opened(opening: Promise<Repository>, signal: AbortSignal): Promise<Opened> {
    const repository = await orAborted(opening, signal);
    const store = openLog(repository, this.#options.name);
    const listing = await orAborted(store.list({ signal }), signal);
    if (listing.segments.length === 0) await this.#options.onEmpty?.();
    const [held, told] = [new Set(listing.segments.map(keyOf)), new Set(listing.histories)];
    this.taken.keepOnly(listing.segments);
    return { repository, store, listing, held, told, ours: new Set([1]) };
  }

  #leave(error: HoldfastError): void {
    const { listener, name, clock } = this.#options;
    const pauseMs = Math.min(longestPauseMs, (this.#failure?.pauseMs ?? firstPauseMs / 2) * 2);
    if (this.#failure === undefined)
      listener({
        ...{ kind: 'warning', during: 'log', item: name.component },
        message: `${this.repository} does not take the log: ${error.message}; it is tried again`,
      });
    this.#failure = { error, pauseMs, untilMs: clock.monotonicMs() + pauseMs };
    this.#letGo(error);
  }

  /** Of a place that nothing waits for nobody else tells it. */
  #tellUnreadable({ message, next }: HoldfastError): void {
    if (this.#unreadable.has(message)) return;
    this.#unreadable.add(message);
    const { listener, name } = this.#options;
    const waiting = this.required
      ? ` Until then the server’s log waits behind it: ${mostAhead} more files are stored, and pg_wal grows.`
      : '';
    const told = `${this.repository} does not take a file of the log: ${message}. ${next}${waiting}`;
    listener({ kind: 'warning', during: 'log', item: name.component, message: told });
  }

  /** It is closed aside, once it is open, which may be never. */
  #letGo(reason: HoldfastError): void {
    const opening = this.#opening;
    [this.#opening, this.#current] = [undefined, undefined];
    if (opening === undefined) return;
    opening.ending.abort(reason);
    const closing = Promise.allSettled([
      opening.opened,
      opening.repository.then(async (repository) => await repository[Symbol.asyncDispose]()),
    ]).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #back(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    const { listener, name } = this.#options;
    listener({
      kind: 'note',
      name: 'log-place-back',
      data: { component: name.component, repository: this.repository },
    });
  }
}

export function keyOf({ epoch, from }: TakenAt): string {
  return `${epoch}.${from}`;
}

/** By what stands beside it; where nothing does, or what can't be read, whoever stores it again finds out. */
async function isThere({ extent, segment }: Segment, store: LogStore, held: ReadonlySet<string>): Promise<boolean> {
  if (!held.has(keyOf(extent))) return false;
  try {
    return (await store.about(extent))?.sha256 === segment.sha256;
  } catch (error) {
    if (hasCode(error, 'damaged')) return false;
    throw error;
  }
}

type Segment = Extract<LogFile, { readonly kind: 'segment' }>;
