import { systemClock } from '../../src/clock/clock.ts';
import { HoldfastError } from '../../src/errors/error.ts';
import type { Event } from '../../src/events/events.ts';
import type { LogStore } from '../../src/log/log.ts';
import { openLog, streamsOf } from '../../src/log/store.ts';
import { openRepository } from '../../src/repository/open.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { followLog } from '../../src/source/postgres/stream/follow.ts';
import type { LogWork, StreamOptions } from '../../src/source/log.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { newRepository, testPassword } from './repository.ts';

/** A storage that can be out of reach, or slow. */
export class FickleStorage extends MemoryStorage {
  state: 'there' | 'away' = 'there';
  /** That each put takes longer. */
  slowMs = 0;

  override async put(...args: Parameters<MemoryStorage['put']>): ReturnType<MemoryStorage['put']> {
    this.#ask();
    if (this.slowMs > 0) await systemClock.sleep(this.slowMs);
    await super.put(...args);
  }

  override async get(...args: Parameters<MemoryStorage['get']>): ReturnType<MemoryStorage['get']> {
    this.#ask();
    return await super.get(...args);
  }

  override list(...args: Parameters<MemoryStorage['list']>): ReturnType<MemoryStorage['list']> {
    this.#ask();
    return super.list(...args);
  }

  #ask(): void {
    if (this.state === 'away') throw new HoldfastError('storage-failed', 'the storage is away');
  }
}

/** A repository that a log goes to. */
export interface Target {
  readonly name: string;
  readonly required: boolean;
  readonly storage: FickleStorage;
}

export async function target(name: string, { required = true } = {}): Promise<Target> {
  const storage = new FickleStorage();
  await newRepository(storage);
  return { name, required, storage };
}

/** The log of a component in it; of the only stream unless one is named. */
export async function logIn({ storage }: Target, stream?: string): Promise<LogStore> {
  const repository = await opened(storage);
  const [only] = await streamsOf(repository, 'shop-db');
  return openLog(repository, { component: 'shop-db', stream: stream ?? only ?? 'none' });
}

async function opened(storage: FickleStorage): Promise<Repository> {
  await Array.fromAsync(storage.list('keys/'));
  return await openRepository({ storage, clock: systemClock, password: testPassword });
}

type Data = Readonly<Record<string, unknown>>;

/** A log that is followed in this process. */
export interface FollowedLog extends AsyncDisposable {
  readonly events: readonly Event[];
  /** Resolves with the data of the first note of this name, or text of a warning, that fits. */
  readonly noted: (name: string, fits?: (data: Data) => boolean) => Promise<Data>;
  readonly warned: (words: RegExp, withinMs?: number) => Promise<void>;
  /** How it ended: undefined when it is done. */
  readonly ended: Promise<unknown>;
  readonly stop: () => Promise<unknown>;
}

const mostMs = 150_000;

function workFor(targets: readonly Target[], events: Event[], signal: AbortSignal): LogWork {
  const places = targets.map(({ name, required, storage }) => ({
    repository: name,
    required,
    windowMs: 86_400_000,
    open: async () => await opened(storage),
  }));
  const listener = (event: Event): void => void events.push(event);
  return { component: 'shop-db', places, stateFolder: '/nowhere', clock: systemClock, signal, listener };
}

export function follow(
  address: () => Promise<string>,
  targets: readonly Target[],
  options: StreamOptions = {},
): FollowedLog {
  const events: Event[] = [];
  const stopping = new AbortController();
  const ended = followLog(workFor(targets, events, stopping.signal), options, address).then(
    () => undefined,
    (error: unknown) => error,
  );
  const find = finder(events, ended);
  const stop = async (): Promise<unknown> => {
    stopping.abort(new HoldfastError('interrupted', 'the test stops it'));
    return await ended;
  };
  return {
    events,
    noted: async (name, fits = () => true) => {
      const dataOf = (event: Event): Data | undefined =>
        event.kind === 'note' && event.name === name && fits(event.data) ? event.data : undefined;
      return await find(dataOf, name);
    },
    warned: async (words, withinMs) => {
      const told = (event: Event): Event | undefined =>
        event.kind === 'warning' && words.test(event.message) ? event : undefined;
      await find(told, String(words), withinMs);
    },
    ended,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

/** Waits for the first event of which something is found; what was said last is told where there is none. */
function finder(
  events: readonly Event[],
  ended: Promise<unknown>,
): <T>(look: (event: Event) => T | undefined, what: string, withinMs?: number) => Promise<T> {
  let over: { readonly cause: unknown } | undefined;
  void ended.then((cause) => (over = { cause }));
  return async (look, what, withinMs = mostMs) => {
    const giveUpAt = systemClock.monotonicMs() + withinMs;
    for (;;) {
      const first = events.map(look).find((one) => one !== undefined);
      if (first !== undefined) return first;
      if (over !== undefined || systemClock.monotonicMs() > giveUpAt)
        throw new Error(`${what}: never\n${JSON.stringify(events.slice(-12), null, 1)}`, over);
      await systemClock.sleep(20);
    }
  };
}
