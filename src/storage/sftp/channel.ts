import type { Writable } from 'node:stream';
import { framesOf } from './frames.ts';
import { broken, PacketReader, PacketWriter, packetTypes } from './packet.ts';
import { refusalIn } from './status.ts';

/** An answer's type and its fields after the request's number. */
export interface Answer {
  readonly type: number;
  readonly packet: PacketReader;
}

type Waiting = PromiseWithResolvers<Answer>;

/**
 * Requests and their answers over two streams, many under way at once. An answer that nobody asked for, or anything
 * that is no packet, ends the channel; whoever waits then learns why.
 */
export class Channel {
  readonly #input: Writable;
  readonly #waiting = new Map<number, Waiting>();
  #number = 0;
  #failure: { readonly error: unknown } | undefined;

  private constructor(input: Writable) {
    this.#input = input;
  }

  /** Shakes hands. The extensions that the server has, by name. */
  static async open(
    input: Writable,
    output: AsyncIterable<Uint8Array>,
    onEnd: (error: unknown) => void,
  ): Promise<{ readonly channel: Channel; readonly extensions: ReadonlySet<string> }> {
    const channel = new Channel(input);
    const frames = framesOf(output);
    channel.#send(new PacketWriter().byte(packetTypes.init).uint32(3));
    const first = await frames.next();
    if (first.done === true) throw broken('nothing');
    const extensions = greeting(new PacketReader(first.value));
    channel.#receive(frames).then(onEnd, onEnd);
    return { channel, extensions };
  }

  /** Asks and waits. `fields` come after type and number. A status other than OK is thrown. */
  async ask(type: number, fields: (packet: PacketWriter) => PacketWriter): Promise<Answer> {
    if (this.#failure) throw this.#failure.error;
    const number = (this.#number = (this.#number + 1) % 2 ** 32);
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(number, waiting);
    this.#send(fields(new PacketWriter().byte(type).uint32(number)));
    const answer = await waiting.promise;
    const refusal = answer.type === packetTypes.status ? refusalIn(answer.packet) : undefined;
    if (refusal) throw refusal;
    return answer;
  }

  /** Everybody who waits, and whoever asks from now on, gets this error. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failure.error);
    this.#waiting.clear();
  }

  #send(packet: PacketWriter): void {
    this.#input.cork();
    for (const part of packet.framed()) this.#input.write(part);
    process.nextTick(() => this.#input.uncork());
  }

  async #receive(frames: AsyncIterable<Buffer>): Promise<Error> {
    for await (const frame of frames) {
      const packet = new PacketReader(frame);
      const type = packet.byte();
      const number = packet.uint32();
      const waiting = this.#waiting.get(number);
      if (!waiting) throw broken('an answer that nobody asked for');
      this.#waiting.delete(number);
      waiting.resolve({ type, packet });
    }
    return broken('nothing more');
  }
}

function greeting(packet: PacketReader): ReadonlySet<string> {
  if (packet.byte() !== packetTypes.version || packet.uint32() < 3) throw broken('no greeting of version 3');
  const extensions = new Set<string>();
  while (!packet.done) {
    const name = packet.string();
    extensions.add(`${name} ${packet.string()}`);
  }
  return extensions;
}
