import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import type { Listener } from '../../../events/events.ts';
import { orAborted } from '../../../flow/abort.ts';
import type { Extent, LogName, LogStore } from '../../../log/log.ts';
import { openLog } from '../../../log/store.ts';
import type { Repository } from '../../../repository/repository.ts';
import type { LogPlace } from '../../log.ts';
import { storeLogFile, type LogFile } from './log-file.ts';

export interface PlaceOptions {
  readonly place: LogPlace;
  readonly name: LogName;
  readonly clock: Clock;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

const [firstPauseMs, longestPauseMs] = [1_000, 30_000] as const;

/** What is wrong with the file, not with the place: no other attempt mends it. */
export function isOfFile(error: HoldfastError): boolean {
  return hasCode(error, 'log-conflict');
}

interface Opened {
  readonly repository: Repository;
  readonly store: LogStore;
  /** What it held when it was opened: asked for what stands beside it before it is sent again. */
  readonly held: ReadonlySet<string>;
}

/** One repository that a log goes to; while it fails it is left alone for a time, and the others go on. */
export class ArchivePlace {
  readonly #options: PlaceOptions;
  #opened: Promise<Opened> | undefined;
  #failure: { readonly error: HoldfastError; readonly untilMs: number; readonly pauseMs: number } | undefined;

  constructor(options: PlaceOptions) {
    this.#options = options;
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

  /** Why it isn't tried just now. */
  get away(): HoldfastError | undefined {
    const failure = this.#failure;
    return failure !== undefined && this.#options.clock.monotonicMs() < failure.untilMs ? failure.error : undefined;
  }

  /** Durable there when it resolves. */
  async take(file: LogFile): Promise<void> {
    await this.use(async ({ store, held }) => {
      if (!(await isThere(file, store, held))) await storeLogFile(store, file);
    });
  }

  /** Opens it where it isn't yet; a failure that is its own leaves it alone for a time. */
  async use<T>(body: (opened: Opened) => Promise<T>): Promise<T> {
    const { signal } = this.#options;
    const { away } = this;
    if (away !== undefined) throw away;
    const opened = (this.#opened ??= this.#open());
    try {
      const done = await orAborted(body(await opened), signal);
      this.#back();
      return done;
    } catch (error) {
      signal.throwIfAborted();
      // Of those that fail together the first has closed it for all.
      if (error instanceof HoldfastError && !isOfFile(error) && this.#opened === opened) await this.#leave(error);
      throw error;
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened === undefined) return;
    const [result] = await Promise.allSettled([opened]);
    if (result.status === 'fulfilled') await result.value.repository[Symbol.asyncDispose]();
  }

  async #open(): Promise<Opened> {
    const { place, name, signal } = this.#options;
    const repository = await orAborted(place.open(), signal);
    try {
      const store = openLog(repository, name);
      const { segments } = await store.list();
      return { repository, store, held: new Set(segments.map(keyOf)) };
    } catch (error) {
      await repository[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #leave(error: HoldfastError): Promise<void> {
    const { listener, name, clock } = this.#options;
    const pauseMs = Math.min(longestPauseMs, (this.#failure?.pauseMs ?? firstPauseMs / 2) * 2);
    if (this.#failure === undefined)
      listener({
        ...{ kind: 'warning', during: 'log', item: name.component },
        message: `${this.repository} does not take the log: ${error.message}; it is tried again`,
      });
    this.#failure = { error, pauseMs, untilMs: clock.monotonicMs() + pauseMs };
    await this.close();
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

export function keyOf({ epoch, from }: Extent): string {
  return `${epoch}.${from}`;
}

/** By what stands beside it; where nothing does, whoever stores it again finds out. */
async function isThere(file: LogFile, store: LogStore, held: ReadonlySet<string>): Promise<boolean> {
  if (file.kind !== 'segment' || !held.has(keyOf(file.extent))) return false;
  return (await store.about(file.extent))?.sha256 === file.sha256();
}
