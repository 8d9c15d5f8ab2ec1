import type { Client } from 'pg';
import { HoldfastError } from '../../errors/error.ts';

/** Takes the messages CopyData of a connection as they come, without the header that each of them has. */
export interface CopyReceiver {
  /** One begins. */
  begin(): void;
  /** The next bytes of it: a view of what the socket read, which is used by nobody else. */
  part(bytes: Uint8Array): void;
  /** All of it was told. */
  end(): void;
}

/** A type and a length, of which the type is no part. */
const headerBytes = 5;
const copyData = 0x64;

/**
 * Stands between a connection's socket and pg's parser, which copies what is copied data once or twice: that goes past
 * the parser, as views of what the socket read, and everything else into it, in the order in which it comes.
 */
export class CopySplitter {
  readonly #parse: (bytes: Buffer) => void;
  #receiver: CopyReceiver | undefined;
  #kind: 'copied' | 'other' = 'other';
  /** Bytes of the message at hand that are still to come. */
  #left = 0;
  /** The first bytes of a header. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(parse: (bytes: Buffer) => void) {
    this.#parse = parse;
  }

  /** Who hears of copied data from now on; what nobody wants is dropped. */
  set receiver(receiver: CopyReceiver | undefined) {
    this.#receiver = receiver;
  }

  /** 'source-failed' where the bytes are none of the protocol's. */
  take(read: Buffer): void {
    const bytes = this.#rest.length === 0 ? read : Buffer.concat([this.#rest, read]);
    let [others, at] = [0, 0];
    for (;;) {
      const end = Math.min(at + this.#left, bytes.length);
      if (this.#kind === 'copied') others = this.#tell(bytes, at, end);
      this.#left -= end - at;
      at = end;
      if (this.#left > 0 || bytes.length - at < headerBytes) break;
      if (bytes[at] === copyData && at > others) this.#parse(bytes.subarray(others, at));
      if (bytes[at] === copyData) others = at + headerBytes;
      this.#begin(bytes, at);
      at += headerBytes;
    }
    this.#rest = bytes.subarray(at);
    if (at > others) this.#parse(bytes.subarray(others, at));
  }

  #begin(bytes: Buffer, at: number): void {
    this.#kind = bytes[at] === copyData ? 'copied' : 'other';
    this.#left = bytes.readUInt32BE(at + 1) - 4;
    if (this.#left < 0) throw new HoldfastError('source-failed', 'the server sent a message whose length is none');
    if (this.#kind === 'copied') this.#receiver?.begin();
  }

  /** Where what is no copied data goes on. */
  #tell(bytes: Buffer, at: number, end: number): number {
    if (end > at) this.#receiver?.part(bytes.subarray(at, end));
    if (end - at < this.#left) return end;
    this.#receiver?.end();
    this.#kind = 'other';
    return end;
  }
}

/** To be called while the client connects, before anything came: over TLS it is the secured stream that counts. */
export function splitCopies(client: Client): CopySplitter {
  const { connection } = client;
  const parsing: ((bytes: Buffer) => void)[] = [];
  const splitter = new CopySplitter((bytes) => {
    for (const parse of parsing) parse(bytes);
  });
  const stand = (): void => {
    const { stream } = connection;
    for (const listener of stream.listeners('data')) parsing.push((bytes) => listener.call(stream, bytes));
    stream.removeAllListeners('data');
    stream.on('data', (bytes: Buffer) => {
      try {
        splitter.take(bytes);
      } catch (error) {
        stream.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
  };
  if (client.ssl) connection.once('sslconnect', stand);
  else stand();
  return splitter;
}
