import { HoldfastError } from '../../errors/error.ts';
import type { RunningProgram } from '../../host/process.ts';
import { explained, startConnecting } from '../program.ts';
import { Channel } from './channel.ts';
import { SftpClient } from './client.ts';

/** What the storage asks through, as long as the connection lives. */
export interface Connection {
  readonly client: SftpClient;
  /** Nobody waits for it any more: whoever does fails. */
  readonly end: (error: unknown) => Promise<void>;
}

/**
 * The program that connects us, started when it is first needed and anew after it ended: a server that restarts costs
 * one failed attempt. Interrupts of the terminal are not for it: what is left to do when we are stopped, removing a
 * lock, goes through it.
 */
export class Session {
  readonly #program: string;
  readonly #args: readonly string[];
  #connection: Promise<Connection> | undefined;
  /** Ends a program whose server hasn't greeted us yet. */
  #greeting: AbortController | undefined;
  /** The one that the connection goes through. */
  #live: RunningProgram | undefined;

  constructor([program, ...args]: readonly [string, ...(readonly string[])]) {
    this.#program = program;
    this.#args = args;
  }

  async client(): Promise<SftpClient> {
    this.#connection ??= this.#connect();
    const connection = this.#connection;
    try {
      return (await connection).client;
    } catch (error) {
      if (this.#connection === connection) this.#connection = undefined;
      throw error;
    }
  }

  /** To be called when the connection proved dead or deaf. */
  async drop(error: unknown): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#greeting?.abort();
    await (await connection?.catch(() => undefined))?.end(error); // without a connection there is nothing to end
  }

  async #connect(): Promise<Connection> {
    const greeting = (this.#greeting = new AbortController());
    const wait = { interrupts: 'ignored', signal: greeting.signal } as const;
    const connecting = await startConnecting(this.#program, this.#args, wait);
    const program = connecting.running;
    this.#live = program;
    try {
      const ended = async (error: unknown): Promise<void> => {
        if (this.#live === program) this.#connection = undefined;
        const { channel } = await opening;
        channel.fail(await explained(connecting, error));
        await program[Symbol.asyncDispose]();
      };
      if (!program.input) throw new HoldfastError('internal', 'no input was asked for');
      const opening = Channel.open(program.input, program.output, (error) => void ended(error));
      const { channel, extensions } = await opening;
      if (this.#greeting === greeting) this.#greeting = undefined;
      const end = async (error: unknown): Promise<void> => {
        channel.fail(error);
        program.input?.end();
        await program[Symbol.asyncDispose]();
      };
      return { client: new SftpClient(channel, extensions), end };
    } catch (error) {
      const why = await explained(connecting, error);
      await program[Symbol.asyncDispose]();
      throw why;
    }
  }
}
