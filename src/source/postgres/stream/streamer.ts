import { HoldfastError, hasCode } from '../../../errors/error.ts';
import { TaskGroup } from '../../../flow/task-group.ts';
import { lineageOf } from '../../../log/cover.ts';
import type { LogWork, StreamOptions } from '../../log.ts';
import { ServerError } from '../connect.ts';
import { lsnText } from '../lsn.ts';
import { slotName } from '../slot-name.ts';
import { usualWaits, type Waits } from '../waits.ts';
import type { HeartbeatWanted } from './beating.ts';
import { historiesOf, openLogServer, type LogServer } from './log-server.ts';
import { streamTimeline } from './session.ts';
import { createSlot, dropSlot, oldestHeld, readSlot, slotLag } from './slot.ts';
import { Ended, State } from './state.ts';

export interface Following extends Pick<StreamOptions, 'mostLagBytes'> {
  readonly work: LogWork;
  readonly until: bigint | undefined;
  /** Read anew for each connection: a password may change meanwhile. */
  readonly address: (signal: AbortSignal) => Promise<string>;
  readonly heartbeat?: HeartbeatWanted | undefined;
}

const [firstPauseMs, longestPauseMs] = [500, 30_000] as const;

/** A server takes a walsender that was killed for alive until its wal_sender_timeout, 60 s, has passed. */
const slotInUseMs = 75_000;

const lagMs = 5_000;

/** A server that answers no ping for so long is given up. */
const waits: Waits = { ...usualWaits, firstMs: 60_000, idleMs: 60_000 };

/** Follows one cluster's log into the places of one component; resolves with what ended it. */
export class Streamer {
  readonly #following: Following;
  readonly #slot: string;
  #state: State | undefined;
  #hasStreamed: boolean;
  #isUp = false;
  #trouble: string | undefined;
  #givenUp = false;

  constructor(following: Following, { hasStreamed }: { readonly hasStreamed: boolean }) {
    this.#following = following;
    this.#slot = slotName(following.work.component);
    this.#hasStreamed = hasStreamed;
  }

  async run(): Promise<Ended['outcome']> {
    await using group = new TaskGroup({ signal: this.#following.work.signal });
    group.run(async (signal) => await this.#produce(group, signal));
    try {
      await group.wait();
    } catch (error) {
      if (error instanceof Ended) return error.outcome;
      throw error;
    }
    return 'done';
  }

  async #produce(group: TaskGroup, signal: AbortSignal): Promise<void> {
    const { clock } = this.#following.work;
    const startedMs = clock.monotonicMs();
    for (let attempt = 0; ; attempt++) {
      this.#isUp = false;
      try {
        await this.#round(group, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof Ended) return group.cancel(error);
        this.#assertPasses(error, clock.monotonicMs() - startedMs);
      }
      if (this.#isUp) attempt = 0;
      if (this.#state?.takeRewind() === true || this.#givenUp) continue;
      await clock.sleep(Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10)), signal);
    }
  }

  /** What the first connection meets is told at once; later ones come again and again. */
  #assertPasses(error: unknown, forMs: number): void {
    if (!(error instanceof HoldfastError) || !hasCode(error, 'source-failed', 'refused')) throw error;
    const isInUse = error instanceof ServerError && error.sqlState === objectInUse && forMs < slotInUseMs;
    if (!this.#hasStreamed && !isInUse) throw error;
    const { component, listener } = this.#following.work;
    if (this.#trouble === undefined)
      listener({ kind: 'warning', during: 'log', item: component, message: `${error.message}; it is tried again` });
    this.#trouble = error.message;
  }

  async #round(group: TaskGroup, signal: AbortSignal): Promise<void> {
    const { address, work } = this.#following;
    const url = await address(signal);
    await using server = await openLogServer({ url, waits, signal });
    const state = (this.#state ??= new State(this.#following, server));
    if (state.stream !== server.stream) throw new Ended('another stream');
    state.assertOn(server);
    state.knows(server);
    const restart = await this.#readySlot(server, state);
    await state.start(group, server, restart);
    await using session = new TaskGroup({ signal: AbortSignal.any([signal, state.rewinding()]) });
    session.run(async (until) => await this.#watchLag(server, until));
    session.run(async (until) => await state.beating?.run(work, url, until));
    session.run(async (until) => {
      while (await this.#timeline(server, state, until));
      session.cancel(new HoldfastError('source-failed', `${work.component}: the server has ended the connection`));
    });
    try {
      await session.wait();
    } catch (error) {
      if (!state.isRewinding && !this.#givenUp) throw error;
    }
  }

  /** Follows a timeline to its end, or to what the server has lost of it; says whether it goes on. */
  async #timeline(server: LogServer, state: State, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#following.work;
    const { epoch, at } = state.resume();
    try {
      const next = await streamTimeline(server, {
        slot: this.#slot,
        epoch,
        from: at,
        clock,
        signal,
        onLog: async (from, bytes) => await state.received(from, bytes, signal),
        onServerEnd: (end) => state.heard(end),
        onStart: () => this.#started(state),
        position: () => state.told,
        onStatus: () => state.tell(),
      });
      if (next === undefined) return false;
      const histories = await historiesOf(server.replication, Math.max(next.epoch, server.timeline));
      const lineage = lineageOf(Math.max(next.epoch, server.timeline), histories);
      if (lineage !== undefined) state.knows({ histories, lineage });
      state.nextEpoch(next);
      return true;
    } catch (error) {
      if (!(error instanceof ServerError) || error.sqlState !== undefinedFile) throw error;
      const slot = await readSlot(server.statements, this.#slot);
      const kept = slot.state === 'there' ? slot.restart : undefined;
      const oldest = (await oldestHeld(server)) ?? kept ?? server.end;
      if (!state.lose(oldest, server, error.message)) throw error;
      return true;
    }
  }

  #started(state: State): void {
    const { component, listener } = this.#following.work;
    const { epoch, at } = state.position;
    const data = { component, stream: state.stream, epoch, from: lsnText(at), slot: this.#slot };
    if (!this.#hasStreamed) listener({ kind: 'note', name: 'log-began', data });
    else if (this.#trouble !== undefined) listener({ kind: 'note', name: 'log-server-back', data });
    this.#trouble = undefined;
    this.#hasStreamed = this.#isUp = true;
  }

  /** The slot that keeps what was not streamed yet; with where it does so from. */
  async #readySlot(server: LogServer, state: State): Promise<bigint | undefined> {
    const found = await readSlot(server.statements, this.#slot);
    if (found.state === 'there' && !this.#givenUp) return found.restart;
    if (found.state !== 'missing') await dropSlot(server.replication, this.#slot);
    await createSlot(server, this.#slot);
    const made = await readSlot(server.statements, this.#slot);
    const restart = made.state === 'there' ? made.restart : undefined;
    const { component, listener } = this.#following.work;
    const state_ = this.#givenUp ? 'given up' : found.state;
    const data = { component, slot: this.#slot, before: state_, restart: restart && lsnText(restart) };
    listener({ kind: 'note', name: 'log-slot-created', data });
    if (this.#givenUp) state.lose(restart ?? server.end, server, 'the server kept more for the slot than slot-max-lag');
    this.#givenUp = false;
    return restart;
  }

  /** A place that is away must not fill the disk of production. */
  async #watchLag({ statements }: LogServer, signal: AbortSignal): Promise<void> {
    const { mostLagBytes, work } = this.#following;
    while (mostLagBytes !== undefined) {
      const lag = await slotLag(statements, this.#slot);
      if (lag !== undefined && lag > BigInt(mostLagBytes)) {
        this.#givenUp = true;
        throw new HoldfastError('source-failed', `${work.component}: the server keeps ${lag} bytes for the slot`);
      }
      await work.clock.sleep(lagMs, signal);
    }
  }
}

const [objectInUse, undefinedFile] = ['55006', '58P01'] as const;
