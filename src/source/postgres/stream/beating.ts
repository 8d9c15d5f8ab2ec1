import { HoldfastError } from '../../../errors/error.ts';
import type { LogWork } from '../../log.ts';
import { connectTo, unhurried } from '../connect.ts';
import { beatOn } from '../heartbeat.ts';
import { parseLsn } from '../lsn.ts';
import { Marks } from './marks.ts';

export interface HeartbeatWanted {
  readonly table: string;
  readonly everyMs: number;
}

/** A table that can't be written to now may be mended by a person. */
const againMs = 60_000;

/** A row that is written again and again while a log is followed: which of them is durable tells the data's own age. */
export class Beating {
  /** Their times are the server's. */
  readonly #marks = new Marks();
  readonly #wanted: HeartbeatWanted;
  #trouble: string | undefined;

  constructor(wanted: HeartbeatWanted) {
    this.#wanted = wanted;
  }

  /** When the newest was written that is durable, by the server's clock; undefined before the first. */
  reachedMs(durable: bigint): number | undefined {
    return this.#marks.reachedMs(durable);
  }

  /** Until it is aborted. What keeps it from being written is told, and holds nothing up. */
  async run({ component, clock, listener }: LogWork, url: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.#beat(component, url, {
          signal,
          pause: async () => await clock.sleep(this.#wanted.everyMs, signal),
        });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof HoldfastError)) throw error;
        const message = `no heartbeat is written to ${this.#wanted.table}: ${error.message}; it is tried again`;
        if (this.#trouble !== error.message) listener({ kind: 'warning', during: 'log', item: component, message });
        this.#trouble = error.message;
        await clock.sleep(againMs, signal);
      }
    }
  }

  async #beat(
    component: string,
    url: string,
    { signal, pause }: { readonly signal: AbortSignal; readonly pause: () => Promise<void> },
  ): Promise<void> {
    await using server = await connectTo({ url, use: 'statements', signal });
    for (const [name, value] of Object.entries(unhurried)) await server.rows(`set ${name} = ${value}`);
    for (;;) {
      const { at } = await beatOn(server, { component, table: this.#wanted.table });
      const [[end] = []] = await server.rows('select pg_current_wal_insert_lsn()');
      if (typeof end === 'string') this.#marks.add(parseLsn(end), Temporal.Instant.from(at).epochMilliseconds);
      this.#trouble = undefined;
      await pause();
    }
  }
}
