import { HoldfastError } from '../errors/error.ts';
import { errorCode, reasonOf } from '../host/system-error.ts';
import { holdsOwnKeys } from '../policy/kinds-of-repositories.ts';
import type { Policy } from '../policy/policy.ts';
import { writeHead } from '../record/chain.ts';
import { foldClosedMonths } from '../record/fold.ts';
import { deliver, deliverWaiting } from '../record/deliver.ts';
import type { Head } from '../record/form.ts';
import type { Actor, RecordFacts, StoredRecord, Writer } from '../record/record.ts';
import { thinHeads } from '../record/thin-heads.ts';
import { isWaiting, keepWaiting } from '../record/outbox.ts';
import type { RecordState } from '../record/state.ts';
import type { Repository } from '../repository/repository.ts';
import type { ComponentContext, NewRecord, Recording } from './component.ts';

export interface RecorderOptions {
  readonly writer: Writer;
  readonly state: RecordState;
  readonly actor: Actor;
}

const [firstPauseMs, longestPauseMs] = [30_000, 300_000];

/** A repository that could not be opened. */
interface Closed {
  readonly error: unknown;
  readonly atMs: number;
  readonly waitMs: number;
}

type Context = Pick<ComponentContext, 'policy' | 'access' | 'clock' | 'signal' | 'listener'>;

/**
 * Records facts about components: each in the first repository of the component's rules that can hold it; the others
 * are told how far the chain has come. Where the first doesn't answer, the fact waits on this host. What a record tells
 * of is done by then, so one that can't be written is a warning, no failure. Repositories are opened once.
 */
export class Recorder implements Recording, AsyncDisposable {
  readonly #context: Context;
  readonly #options: RecorderOptions;
  readonly #opened = new Map<string, Promise<Repository>>();
  readonly #closed = new Map<string, Closed>();

  constructor(context: Context, options: RecorderOptions) {
    this.#context = context;
    this.#options = options;
  }

  async record(fact: NewRecord): Promise<void> {
    const { policy, clock, signal } = this.#context;
    const facts = { ...fact, actor: this.#options.actor, timeNs: clock.nowNs() };
    const [first, ...others] = homesOf(policy, fact.component);
    // Who is interrupted doesn't wait for a repository.
    if (signal.aborted) return await this.#keep(facts);
    if (first === undefined) return this.#warn('no repository of its rules can hold records', fact.component);
    const head = await this.#write(first, facts);
    if (head !== undefined) for (const other of others) await this.#tellHead(other, head);
  }

  async prepare(component: string): Promise<void> {
    const [first] = homesOf(this.#context.policy, component);
    // Whatever keeps it closed is told by who records.
    if (first !== undefined) await Promise.allSettled([this.#open(first)]);
  }

  async settle(component: string): Promise<void> {
    const { state } = this.#options;
    const [first, ...others] = homesOf(this.#context.policy, component);
    if (first === undefined || !(await isWaiting(state, component))) return;
    try {
      const repository = await this.#open(first);
      const newest = await deliverWaiting(repository, component, this.#options);
      if (newest !== undefined) for (const other of others) await this.#tellHead(other, headOf(repository, newest));
    } catch (error) {
      // Why it waits was told when it began to.
      this.#assertPasses(error);
    }
  }

  async fold(component: string): Promise<void> {
    const { policy, clock } = this.#context;
    const [first, ...others] = homesOf(policy, component);
    if (first === undefined) return;
    const now = Temporal.Instant.fromEpochNanoseconds(clock.nowNs()).toZonedDateTimeISO('UTC');
    const month = now.with({ day: 1 }).startOfDay();
    try {
      const { writer } = this.#options;
      const home = await this.#open(first);
      await foldClosedMonths(home, writer, month.epochNanoseconds);
      for (const other of others) await thinHeads(await this.#open(other), home, { component, writer: writer.id });
    } catch (error) {
      this.#assertPasses(error);
      this.#warn(`records of past months stay as they are: ${error.message}`, component);
    }
  }

  /** How far the chain has come; undefined where the fact waits on this host now. */
  async #write(name: string, facts: RecordFacts): Promise<Head | undefined> {
    try {
      const repository = await this.#open(name);
      return headOf(repository, await deliver(repository, facts, this.#options));
    } catch (error) {
      // Whoever is interrupted in the midst of writing leaves it for the next: twice is better than never.
      if (this.#context.signal.aborted) await this.#keep(facts);
      this.#assertPasses(error);
      this.#warn(`${name} can’t take the record, which waits on this host: ${error.message}`, facts.component);
      await this.#keep(facts);
      return undefined;
    }
  }

  /** A disk of this host that is full takes the record and nothing else: what it tells of is done. */
  async #keep(facts: RecordFacts): Promise<void> {
    try {
      await keepWaiting(this.#options.state, facts);
    } catch (error) {
      if (!(error instanceof HoldfastError) && errorCode(error) === undefined) throw error;
      this.#warn(`the record is LOST, this host can’t keep it: ${reasonOf(error)}`, facts.component);
    }
  }

  /** What can’t be told now is told with the next record: each head says all. */
  async #tellHead(name: string, head: Head): Promise<void> {
    try {
      await writeHead(await this.#open(name), head, this.#options.writer);
    } catch (error) {
      this.#assertPasses(error);
      this.#context.listener({
        kind: 'note',
        name: 'head-not-told',
        data: { repository: name, reason: error.message },
      });
    }
  }

  #assertPasses(error: unknown): asserts error is HoldfastError {
    if (!(error instanceof HoldfastError) || this.#context.signal.aborted) throw error;
  }

  async #open(name: string): Promise<Repository> {
    const closed = this.#closed.get(name);
    const nowMs = this.#context.clock.monotonicMs();
    if (closed !== undefined && nowMs - closed.atMs < closed.waitMs) throw closed.error;
    const opening = this.#opened.getOrInsertComputed(name, () => this.#context.access(name).open());
    try {
      return await opening;
    } catch (error) {
      // Of several who waited for one opening the first tells.
      if (this.#opened.get(name) === opening) this.#noteClosed(name, error);
      throw error;
    }
  }

  #noteClosed(name: string, error: unknown): void {
    this.#opened.delete(name);
    const waitMs = Math.min(longestPauseMs, 2 * (this.#closed.get(name)?.waitMs ?? firstPauseMs / 2));
    this.#closed.set(name, { error, waitMs, atMs: this.#context.clock.monotonicMs() });
  }

  #warn(message: string, item: string): void {
    this.#context.listener({ kind: 'warning', during: 'record', item, message });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const result of await Promise.allSettled(this.#opened.values()))
      if (result.status === 'fulfilled') await result.value[Symbol.asyncDispose]();
  }
}

function headOf({ config }: Repository, { component, writer, sequence, hash }: StoredRecord): Head {
  return { repository: config.id, component, writer, sequence, hash };
}

/** The repositories that can hold a component's records: the first the chain, the others its heads. */
export function homesOf({ components, repositories }: Policy, component: string): readonly string[] {
  const places = Object.values(components[component]?.backups ?? {}).flatMap(({ to }) => Object.keys(to));
  const own = places.filter((name) => repositories[name] !== undefined);
  const named = own.length === 0 ? Object.keys(repositories) : own;
  return [...new Set(named)].filter((name) => repositories[name] !== undefined && holdsOwnKeys(repositories[name]));
}
