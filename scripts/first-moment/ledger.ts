import pg from 'pg';
import { systemClock } from '../../src/clock/clock.ts';

/** An order as the customer has it in writing: that it was committed, and when. */
export interface Order {
  readonly id: number;
  readonly cents: number;
  /** By this process's clock, once the server had said that it was committed. */
  readonly committedMs: number;
}

const pauseMs = 10;

/**
 * A customer of the shop who orders without end, and writes down each order outside of it: what was committed, whatever
 * the server says later.
 */
export class Ledger implements AsyncDisposable {
  readonly orders: Order[] = [];
  readonly #client: pg.Client;
  readonly #ended: Promise<void>;
  /** 'paused': the shop has no orders to write to. */
  #state: 'writing' | 'paused' | 'ended' = 'writing';

  private constructor(client: pg.Client, firstId: number) {
    this.#client = client;
    this.#ended = this.#write(firstId);
  }

  static async begin(url: string, firstId: number): Promise<Ledger> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined); // whoever asks next hears of it
    await client.connect();
    return new Ledger(client, firstId);
  }

  /** Resolves once no order is on its way. */
  async pause(): Promise<void> {
    this.#state = 'paused';
    await this.#client.query('select 1');
  }

  goOn(): void {
    this.#state = 'writing';
  }

  /** Resolves once this many orders more are committed. */
  async untilMore(count: number): Promise<void> {
    const wanted = this.orders.length + count;
    while (this.orders.length < wanted && this.#state !== 'ended') await systemClock.sleep(pauseMs);
  }

  async #write(firstId: number): Promise<void> {
    for (let id = firstId; this.#state !== 'ended';) {
      if (this.#state === 'writing' && (await this.#order(id))) id += 1;
      await systemClock.sleep(pauseMs);
    }
  }

  async #order(id: number): Promise<boolean> {
    const cents = 100 + ((id * 7919) % 90_000);
    try {
      await this.#client.query('insert into orders values ($1, $2, $3, $4)', [id, 1 + (id % 200), cents, 'ledger']);
    } catch {
      this.#state = 'ended'; // the shop is gone: nothing more is promised to the customer
      return false;
    }
    this.orders.push({ id, cents, committedMs: performance.now() });
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'ended';
    await this.#ended;
    await this.#client.end().catch(() => undefined); // its server may be gone already
  }
}
