import { connect, type ClientHttp2Session } from 'node:http2';
import { systemClock } from '../../clock/clock.ts';
import { HoldfastError } from '../../errors/error.ts';
import { drain, type Exchange } from '../http/exchange.ts';
import { exchangeOn } from '../http/http2.ts';
import { explained, startConnecting, within, type ConnectingProgram } from '../program.ts';
import type { Throttle } from '../throttle.ts';
import { Pipes } from './pipes.ts';

export interface RcloneOptions {
  readonly command: readonly [program: string, ...args: readonly string[]];
  /** How long it may take until it answers. */
  readonly timeoutMs: number;
  readonly upload: Throttle | undefined;
  /** An argument that may hold a secret, and how it is shown. */
  readonly remote: readonly [given: string, shown: string];
}

interface Served {
  readonly connecting: ConnectingProgram;
  readonly session: ClientHttp2Session;
}

/**
 * rclone, serving restic's REST protocol by HTTP/2 over its standard input and output; started when it is first needed
 * and anew after it ended. The terminal's interrupts are not for it.
 */
export class RcloneProcess {
  readonly #options: RcloneOptions;
  #serving: Promise<Served> | undefined;

  constructor(options: RcloneOptions) {
    this.#options = options;
  }

  readonly exchange: Exchange = async (request) => {
    const { session } = await this.start();
    return await exchangeOn(session, request, this.#options.upload);
  };

  async start(): Promise<Served> {
    this.#serving ??= this.#serve();
    const serving = this.#serving;
    try {
      return await serving;
    } catch (error) {
      this.#forget(serving);
      throw error;
    }
  }

  /** Why a request failed: what rclone said at its end, where it ended. */
  readonly explain = async (error: unknown): Promise<unknown> => {
    const serving = this.#serving;
    const served = await serving?.catch(() => undefined); // it never served: the error says so
    if (!served?.session.destroyed) return error;
    this.#forget(serving);
    return await explained(served.connecting, error);
  };

  /** rclone ends when its input does; what it still does by then is given some time. */
  readonly close = async (): Promise<void> => {
    const served = await this.#serving?.catch(() => undefined); // then there is nothing to close
    this.#serving = undefined;
    if (served) await end(served);
  };

  #forget(serving: Promise<Served> | undefined): void {
    if (this.#serving === serving) this.#serving = undefined;
  }

  async #serve(): Promise<Served> {
    const [program, ...args] = this.#options.command;
    const started = await startConnecting(program, args, { interrupts: 'own-session' });
    const connecting = { ...started, hidden: this.#options.remote };
    const { input, output } = connecting.running;
    if (!input) throw new HoldfastError('internal', 'no input was asked for');
    const pipes = new Pipes(output, input);
    const session = connect('http://localhost', { createConnection: () => pipes });
    session.on('error', () => undefined); // each request is told
    pipes.on('error', () => undefined);
    const served = { connecting, session };
    try {
      await this.#untilItAnswers(session);
      return served;
    } catch (error) {
      const why = await explained(connecting, error);
      await end(served);
      throw why;
    }
  }

  /** Any answer shows that it serves. */
  async #untilItAnswers(session: ClientHttp2Session): Promise<void> {
    const late = new AbortController();
    const asking = exchangeOn(session, { method: 'GET', path: '/none', headers: {}, signal: late.signal }, undefined);
    const answer = await within(this.#options.timeoutMs, asking, systemClock);
    if (answer) {
      await drain(answer);
      return;
    }
    late.abort();
    throw new HoldfastError('storage-timeout', `rclone did not answer in ${this.#options.timeoutMs / 1000} s`);
  }
}

const patienceMs = 5000;

async function end({ connecting: { running }, session }: Served): Promise<void> {
  session.destroy();
  running.input?.end();
  await within(patienceMs, running.ended, systemClock);
  await running[Symbol.asyncDispose]();
}
