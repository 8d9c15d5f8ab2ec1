import { existsSync, writeFileSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import type { FetchWork } from '../../log.ts';
import { segmentNameAt } from '../recover/wal-name.ts';
import { parseSegmentName, segmentStart } from '../wal/segment.ts';
import { Ahead } from './ahead.ts';
import { kindOfLogFile } from './log-file.ts';
import { openFetching, syncWhole, writeWhole, type Fetching } from './get.ts';

const mostFiles = 8;
const mostBytes = 128 * 2 ** 20;
const atOnce = 3;
const lookMs = 20;
/** At the end of the log the next segment is looked for so often, without being asked for. */
const absentMs = 1_000;
/** Without a file taken or asked for it ends after so long; a standby at the end of its log asks every 5 s. */
const idleMs = 20_000;
const graceMs = 1_000;
/** Who gives the lock back may have been asked whether anybody has it. */
const lockMs = 1_000;

/** Answers a server that recovers, and keeps the next segments at hand, as long as it takes them. */
export async function fetchAhead(work: FetchWork): Promise<void> {
  const ahead = new Ahead(work.target);
  ahead.make();
  const lock = await acquire(ahead, work);
  if (lock === undefined) return;
  using _lock = lock;
  ahead.wipe();
  await using fetching = await openFetching(work);
  try {
    await new AheadLoop(work, ahead, fetching).run();
  } finally {
    ahead.wipe();
  }
}

async function acquire(ahead: Ahead, { clock, signal }: FetchWork): Promise<Disposable | undefined> {
  const giveUpAt = clock.monotonicMs() + lockMs;
  for (;;) {
    const lock = ahead.lock();
    if (lock !== undefined || clock.monotonicMs() > giveUpAt) return lock;
    await clock.sleep(lookMs, signal);
  }
}

/** Its bytes, where it isn't kept at hand: the server has asked for others meanwhile, but who waits for it gets it. */
type Brought = 'there' | 'absent' | Uint8Array;

class AheadLoop {
  readonly #work: FetchWork;
  readonly #ahead: Ahead;
  readonly #fetching: Fetching;
  /** What was put there, and is not taken yet. */
  readonly #put = new Set<string>();
  readonly #under = new Map<string, Promise<Brought>>();
  readonly #answering = new Map<string, Promise<void>>();
  /** The first that the server did not take yet; undefined before it asked for any. */
  #due: string | undefined;
  #movedAtMs: number;
  #absentAtMs = -Infinity;
  #fault: { readonly error: unknown } | undefined;
  #state: 'running' | 'ending' = 'running';

  constructor(work: FetchWork, ahead: Ahead, fetching: Fetching) {
    this.#work = work;
    this.#ahead = ahead;
    this.#fetching = fetching;
    this.#movedAtMs = work.clock.monotonicMs();
  }

  async run(): Promise<void> {
    const { clock, signal } = this.#work;
    try {
      for (;;) {
        signal.throwIfAborted();
        if (this.#fault !== undefined) throw this.#fault.error;
        this.#look();
        if (this.#isOver()) return;
        this.#begin();
        await clock.sleep(lookMs, signal);
      }
    } finally {
      this.#state = 'ending';
      await Promise.allSettled([...this.#under.values(), ...this.#answering.values()]);
    }
  }

  /** Nobody takes anything, or the server recovers no more. */
  #isOver(): boolean {
    if (this.#answering.size > 0) return false;
    const quietMs = this.#work.clock.monotonicMs() - this.#movedAtMs;
    return quietMs > idleMs || (quietMs > graceMs && !isRecovering(this.#work.dataDirectory));
  }

  /** What is gone was taken. */
  #look(): void {
    const held = new Set(this.#ahead.held());
    const taken = [...this.#put].filter((name) => !held.has(name)).toSorted();
    for (const name of taken) this.#put.delete(name);
    const newest = taken.at(-1);
    if (newest !== undefined) this.#move(this.#behind(newest, 1));
    for (const { token, file } of this.#ahead.asked()) {
      if (this.#answering.has(token)) continue;
      const answering = this.#answer(token, file)
        .catch((error: unknown) => void (this.#fault ??= { error }))
        .finally(() => this.#answering.delete(token));
      this.#answering.set(token, answering);
    }
  }

  /** A server may ask for what it had before, or for another timeline. */
  #move(due: string): void {
    this.#movedAtMs = this.#work.clock.monotonicMs();
    if (due === this.#due) return;
    this.#due = due;
    const wanted = this.#wanted();
    for (const name of this.#put)
      if (!wanted.includes(name)) {
        this.#put.delete(name);
        this.#ahead.remove(name);
      }
  }

  async #answer(token: string, file: string): Promise<void> {
    this.#movedAtMs = this.#work.clock.monotonicMs();
    const found = kindOfLogFile(file) === 'segment' ? await this.#segment(file) : await this.#fetching.history(file);
    if (found === undefined) this.#ahead.sayAbsent(token);
    else if (found !== 'there') await this.#write(found, `got.${token}`);
    this.#ahead.remove(`ask.${token}`);
  }

  /** That it isn't there is found out anew for each who asks. */
  async #segment(file: string): Promise<'there' | Uint8Array | undefined> {
    this.#move(file);
    const before = this.#under.get(file);
    if (this.#put.has(file)) return 'there';
    const earlier = before === undefined ? 'absent' : await before;
    const brought = earlier === 'absent' ? await this.#fetch(file) : earlier;
    return brought === 'absent' ? await this.#fetching.open(file) : brought;
  }

  #begin(): void {
    if (this.#work.clock.monotonicMs() - this.#absentAtMs < absentMs) return;
    for (const name of this.#wanted()) {
      if (this.#under.size >= atOnce) return;
      if (this.#put.has(name) || this.#under.has(name)) continue;
      this.#fetch(name).catch((error: unknown) => void (this.#fault ??= { error }));
    }
  }

  /** Of the same timeline: where it ends the server asks for another. */
  #wanted(): readonly string[] {
    const { segmentBytes } = this.#fetching;
    const count = Math.max(1, Math.min(mostFiles, Math.floor(mostBytes / segmentBytes)));
    const due = this.#due;
    return due === undefined ? [] : Array.from({ length: count }, (_, index) => this.#behind(due, index));
  }

  #behind(name: string, count: number): string {
    const { segmentBytes } = this.#fetching;
    const at = parseSegmentName(name);
    if (at === undefined) throw new HoldfastError('usage', `${name} is no segment of PostgreSQL's log`);
    return segmentNameAt(at.timeline, segmentStart(at, segmentBytes) + BigInt(count * segmentBytes), segmentBytes);
  }

  /** One at a time of a name. */
  async #fetch(name: string): Promise<Brought> {
    return await this.#under.getOrInsertComputed(
      name,
      async () =>
        await this.#bring(name).then(
          (brought) => this.#brought(name, brought),
          (error: unknown) => this.#failed(name, error),
        ),
    );
  }

  /** The next is begun at once, not at the next look. */
  #brought(name: string, brought: Brought): Brought {
    this.#under.delete(name);
    if (this.#state === 'running' && this.#fault === undefined) this.#begin();
    return brought;
  }

  /** Known before anything else is begun: what has failed would be brought once more. */
  #failed(name: string, error: unknown): never {
    this.#under.delete(name);
    this.#fault ??= { error };
    throw error;
  }

  /** Its draft says that it is on its way: the server's shell waits for that. */
  async #bring(name: string): Promise<Brought> {
    const draft = this.#ahead.path(`${name}.draft`);
    writeFileSync(draft, '', { mode: 0o600 });
    const isThere = await this.#fetching.wholeInto(name, draft);
    if (!isThere || !this.#wanted().includes(name)) {
      const bytes = isThere ? await readFile(draft) : undefined;
      this.#ahead.remove(`${name}.draft`);
      if (bytes === undefined) this.#absentAtMs = this.#work.clock.monotonicMs();
      return bytes ?? 'absent';
    }
    await syncWhole(draft);
    await rename(draft, this.#ahead.path(name));
    this.#put.add(name); // before it is there, a look would take it for one that is gone
    return 'there';
  }

  async #write(bytes: Uint8Array, name: string): Promise<void> {
    const draft = this.#ahead.path(`${name}.draft`);
    await writeWhole(bytes, draft);
    await rename(draft, this.#ahead.path(name));
  }
}

/** What a server removes once it has recovered. */
function isRecovering(dataDirectory: string): boolean {
  return ['recovery.signal', 'standby.signal'].some((name) => existsSync(join(dataDirectory, name)));
}
