import type { Connection, Submittable } from 'pg';
import type { Clock } from '../../clock/clock.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { CopyReceiver, CopySplitter } from './copied-data.ts';
import type { Waiting } from './waits.ts';

/** What the server answers to one command of the replication protocol, in its order. */
export type Answer =
  | { readonly kind: 'row'; readonly values: readonly (string | null)[] }
  /** The rows of one result are over. */
  | { readonly kind: 'rows-end' }
  | { readonly kind: 'copy-start' }
  | CopiedBytes
  | { readonly kind: 'copy-end' };

export interface CopiedBytes {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
  /** The first byte of the message, where it is no part of `bytes`. */
  readonly mark?: number | undefined;
}

/**
 * How copied data is told: each message as a whole; 'parts': as it comes, wherever messages end; 'marked': as it comes, too,
 * but for the messages whose mark is another than `d`, each of which is whole.
 */
export type Copied = 'messages' | 'parts' | 'marked';

/** Beyond this the socket is read no more until half of it is taken. */
const mostHeldBytes = 1024 * 1024;

/** The messages of the protocol that pg has, but doesn't tell its types of: `d` and `c`. */
const [copyData, copyDone] = [0x64, 0x63] as const;
/** Of a message of a base backup: bytes of a file. */
const markOfData = 0x64;

export interface CommandOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly splitter: CopySplitter;
  /** Whether the server may ask for data; 'copy-start' tells it. */
  readonly copyIn?: 'refused' | 'sent';
  readonly copied?: Copied;
}

/**
 * A command as pg's client submits it: rows and copied data come out of `answers` one by one, and no more is read from
 * the server than is taken. An error of the server's is thrown after what came before it.
 */
export class ReplicationCommand implements Submittable, CopyReceiver {
  readonly #text: string;
  readonly #options: CommandOptions;
  #sinceMs: number | undefined;
  #hasAnswered = false;
  readonly #held: Answer[] = [];
  #heldBytes = 0;
  #connection: Connection | undefined;
  #state: 'going on' | 'ended' | { readonly error: unknown } = 'going on';
  #changed = Promise.withResolvers<void>();
  /** Of the message that is just coming: its parts so far, where it is told as a whole, and its mark. */
  #message: Uint8Array[] = [];
  #mark: number | undefined;

  constructor(text: string, options: CommandOptions) {
    this.#text = text;
    this.#options = options;
  }

  /** Whether somebody waits for the server just now. */
  get waiting(): Waiting {
    return { sinceMs: this.#sinceMs, hasAnswered: this.#hasAnswered };
  }

  submit(connection: Connection): void {
    this.#connection = connection;
    this.#options.splitter.receiver = this;
    connection.on('copyOutResponse', this.#copyStarts);
    connection.on('replicationStart', this.#copyStarts);
    connection.on('copyDone', this.#copyEnds);
    connection.query(this.#text);
  }

  /** Within a copy that goes both ways; what can't be sent any more is heard of by who waits for answers. */
  send(bytes: Uint8Array): void {
    this.#write(copyData, bytes);
  }

  endCopy(): void {
    this.#write(copyDone);
  }

  async *answers(): AsyncGenerator<Answer, void> {
    for (;;) {
      const next = this.#held.shift();
      if (next !== undefined) {
        this.#taken(next);
        yield next;
      } else if (this.#state === 'ended') return;
      else if (this.#state !== 'going on') throw this.#state.error;
      else {
        this.#sinceMs ??= this.#options.clock.monotonicMs();
        await this.#changed.promise;
      }
    }
  }

  handleRowDescription(): void {
    // Every column comes as text, and their order is the protocol's.
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    this.#put({ kind: 'row', values: fields });
  }

  handleCommandComplete(): void {
    this.#put({ kind: 'rows-end' });
  }

  begin(): void {
    this.#mark = undefined;
    this.#message = [];
  }

  part(bytes: Uint8Array): void {
    const { copied = 'messages' } = this.#options;
    let rest = bytes;
    if (copied === 'marked' && this.#mark === undefined) {
      this.#mark = bytes[0];
      rest = bytes.subarray(1);
    }
    const isWhole = copied === 'messages' || (copied === 'marked' && this.#mark !== markOfData);
    if (isWhole) this.#message.push(rest);
    else if (rest.length > 0) this.#putCopied(rest);
  }

  end(): void {
    const { copied = 'messages' } = this.#options;
    if (copied === 'parts' || (copied === 'marked' && this.#mark === markOfData)) return;
    const [first = new Uint8Array(), ...others] = this.#message;
    this.#putCopied(others.length === 0 ? first : Buffer.concat(this.#message));
    this.#message = [];
  }

  #putCopied(bytes: Uint8Array): void {
    this.#heldBytes += bytes.length;
    this.#put({ kind: 'bytes', bytes, mark: this.#mark });
    if (this.#heldBytes > mostHeldBytes) this.#connection?.stream.pause();
  }

  handleCopyData(): void {
    this.handleError(new HoldfastError('internal', 'copied data went where it is not heard'));
  }

  handleCopyInResponse(): void {
    if (this.#options.copyIn === 'sent') return this.#copyStarts();
    this.handleError(new HoldfastError('source-failed', 'the server wants data where it was to send some'));
  }

  handleEmptyQuery(): void {
    this.handleError(new HoldfastError('internal', 'an empty command was sent'));
  }

  handlePortalSuspended(): void {
    this.handleError(new HoldfastError('source-failed', 'the server suspended a command'));
  }

  handleReadyForQuery(): void {
    this.#end('ended');
  }

  handleError(error: unknown): void {
    this.#end({ error });
  }

  #write(type: number, bytes: Uint8Array = new Uint8Array()): void {
    const stream = this.#connection?.stream;
    if (this.#state !== 'going on' || stream?.writable !== true) return;
    const message = Buffer.alloc(5 + bytes.length);
    message.writeUInt8(type, 0);
    message.writeInt32BE(4 + bytes.length, 1);
    message.set(bytes, 5);
    stream.write(message);
  }

  readonly #copyStarts = (): void => this.#put({ kind: 'copy-start' });
  readonly #copyEnds = (): void => this.#put({ kind: 'copy-end' });

  #put(answer: Answer): void {
    this.#hasAnswered = true;
    this.#held.push(answer);
    this.#wake();
  }

  #taken(answer: Answer): void {
    if (answer.kind !== 'bytes') return;
    this.#heldBytes -= answer.bytes.length;
    if (this.#heldBytes <= mostHeldBytes / 2) this.#connection?.stream.resume();
  }

  #end(state: 'ended' | { readonly error: unknown }): void {
    if (this.#state === 'going on') this.#state = state;
    this.#options.splitter.receiver = undefined;
    this.#connection?.off('copyOutResponse', this.#copyStarts);
    this.#connection?.off('replicationStart', this.#copyStarts);
    this.#connection?.off('copyDone', this.#copyEnds);
    this.#connection?.stream.resume();
    this.#wake();
  }

  #wake(): void {
    this.#sinceMs = undefined;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
