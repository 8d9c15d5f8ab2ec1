import { rename } from 'node:fs/promises';
import { HoldfastError } from '../../../errors/error.ts';
import type { FetchWork } from '../../log.ts';
import { segmentNameAt } from '../recover/wal-name.ts';
import { parseSegmentName, segmentStart } from '../wal/segment.ts';
import { Ahead } from './ahead.ts';
import { openFetching, writeWhole, type Fetching } from './get.ts';

const mostFiles = 8;
const mostBytes = 128 * 2 ** 20;
const atOnce = 3;
const lookMs = 20;
/** At the end of the log the next segment is asked for so often. */
const absentMs = 1_000;
/** Without a file taken it ends after so long; the next that has to be fetched starts another. */
const idleMs = 20_000;

/** Keeps the next segments at hand for a server that recovers, as long as it takes them. */
export async function fetchAhead(work: FetchWork): Promise<void> {
  const ahead = new Ahead(work.target);
  ahead.make();
  const lock = ahead.lock();
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

class AheadLoop {
  readonly #work: FetchWork;
  readonly #ahead: Ahead;
  readonly #fetching: Fetching;
  /** What was put there, and is not taken yet. */
  readonly #put = new Set<string>();
  readonly #under = new Map<string, Promise<void>>();
  /** The last one that the server took. */
  #at: string;
  #movedAtMs: number;
  #absentAtMs = -Infinity;
  #fault: { readonly error: unknown } | undefined;

  constructor(work: FetchWork, ahead: Ahead, fetching: Fetching) {
    this.#work = work;
    this.#ahead = ahead;
    this.#fetching = fetching;
    this.#at = work.file;
    this.#movedAtMs = work.clock.monotonicMs();
  }

  async run(): Promise<void> {
    const { clock, signal } = this.#work;
    try {
      while (!this.#isOver()) {
        signal.throwIfAborted();
        if (this.#fault !== undefined) throw this.#fault.error;
        this.#look();
        this.#begin();
        await clock.sleep(lookMs, signal);
      }
    } finally {
      await Promise.all(this.#under.values());
    }
  }

  /** The log ends here and all of it was taken, or nobody takes anything. */
  #isOver(): boolean {
    const hasAll = this.#absentAtMs > this.#movedAtMs && this.#put.size === 0 && this.#under.size === 0;
    return hasAll || this.#work.clock.monotonicMs() - this.#movedAtMs > idleMs;
  }

  /** What is gone was taken; what the server has passed is of no use any more. */
  #look(): void {
    const held = new Set(this.#ahead.held());
    const taken = [...this.#put].filter((name) => !held.has(name));
    for (const name of taken) this.#put.delete(name);
    const asked = this.#ahead.at();
    const newest = [...taken, ...(asked === undefined ? [] : [asked])].toSorted().at(-1);
    if (newest === undefined || newest <= this.#at) return;
    this.#at = newest;
    this.#movedAtMs = this.#work.clock.monotonicMs();
    for (const name of held) if (name <= newest) this.#drop(name);
  }

  #drop(name: string): void {
    this.#put.delete(name);
    this.#ahead.remove(name);
  }

  #begin(): void {
    if (this.#work.clock.monotonicMs() - this.#absentAtMs < absentMs) return;
    for (const name of this.#next()) {
      if (this.#under.size >= atOnce) return;
      if (this.#put.has(name) || this.#under.has(name)) continue;
      const task = this.#fetch(name)
        .catch((error: unknown) => void (this.#fault = { error }))
        .finally(() => this.#under.delete(name));
      this.#under.set(name, task);
    }
  }

  /** Of the same timeline: where it ends the server asks for another, and that one starts anew. */
  #next(): readonly string[] {
    const { segmentBytes } = this.#fetching;
    const at = parseSegmentName(this.#at);
    if (at === undefined) throw new HoldfastError('usage', `${this.#at} is no segment of PostgreSQL's log`);
    const start = segmentStart(at, segmentBytes);
    const count = Math.max(1, Math.min(mostFiles, Math.floor(mostBytes / segmentBytes)));
    return Array.from({ length: count }, (_, index) =>
      segmentNameAt(at.timeline, start + BigInt((index + 1) * segmentBytes), segmentBytes),
    );
  }

  async #fetch(name: string): Promise<void> {
    const bytes = await this.#fetching.whole(name);
    if (bytes === undefined) {
      this.#absentAtMs = this.#work.clock.monotonicMs();
      return;
    }
    if (name <= this.#at) return;
    const draft = this.#ahead.path(`${name}.draft`);
    await writeWhole(bytes, draft);
    this.#put.add(name);
    await rename(draft, this.#ahead.path(name));
  }
}
