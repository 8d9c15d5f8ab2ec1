import { systemClock } from '../../src/clock/clock.ts';
import { HoldfastError } from '../../src/errors/error.ts';
import type { Event } from '../../src/events/events.ts';
import type { LogStore } from '../../src/log/log.ts';
import { openLog, streamsOf } from '../../src/log/store.ts';
import { openRepository } from '../../src/repository/open.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { followLog } from '../../src/source/postgres/stream/follow.ts';
import type { StreamOptions } from '../../src/source/log.ts';
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

/** A log that is followed in this process. */
export interface FollowedLog extends AsyncDisposable {
  readonly events: readonly Event[];
  /** Resolves with the data of the first note of this name, or text of a warning, that fits. */
  readonly noted: (
    name: string,
    fits?: (data: Readonly<Record<string, unknown>>) => boolean,
  ) => Promise<Readonly<Record<string, unknown>>>;
  readonly warned: (words: RegExp, withinMs?: number) => Promise<void>;
  /** How it ended: undefined when it is done. */
  readonly ended: Promise<unknown>;
  readonly stop: () => Promise<unknown>;
}

const mostMs = 60_000;

export function follow(
  address: () => Promise<string>,
  targets: readonly Target[],
  options: StreamOptions = {},
): FollowedLog {
  const events: Event[] = [];
  const stopping = new AbortController();
  const work = {
    component: 'shop-db',
    places: targets.map(({ name, required, storage }) => ({
      repository: name,
      required,
      windowMs: 86_400_000,
      open: async () => await opened(storage),
    })),
    stateFolder: '/nowhere',
    clock: systemClock,
    signal: stopping.signal,
    listener: (event: Event) => void events.push(event),
  };
  const ended = followLog(work, options, address).then(
    () => undefined,
    (error: unknown) => error,
  );
  let isOver = false;
  let outcome: unknown;
  void ended.then((error) => ([isOver, outcome] = [true, error]));
  const found = async <T>(look: (event: Event) => T | undefined, what: string, withinMs = mostMs): Promise<T> => {
    const giveUpAt = systemClock.monotonicMs() + withinMs;
    for (;;) {
      const first = events.map(look).find((one) => one !== undefined);
      if (first !== undefined) return first;
      if (isOver || systemClock.monotonicMs() > giveUpAt)
        throw new Error(`${what}: never\n${JSON.stringify(events.slice(-12), null, 1)}`, { cause: outcome });
      await systemClock.sleep(20);
    }
  };
  const stop = async (): Promise<unknown> => {
    stopping.abort(new HoldfastError('interrupted', 'the test stops it'));
    return await ended;
  };
  return {
    events,
    noted: async (name, fits = () => true) =>
      await found(
        (event) => (event.kind === 'note' && event.name === name && fits(event.data) ? event.data : undefined),
        name,
      ),
    warned: async (words, withinMs) =>
      void (await found(
        (event) => (event.kind === 'warning' && words.test(event.message) ? event : undefined),
        String(words),
        withinMs,
      )),
    ended,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}
