import { Duplex, type Writable } from 'node:stream';

/** A program's standard output and input as one stream. */
export class Pipes extends Duplex {
  readonly #output: AsyncIterator<Uint8Array>;
  readonly #input: Writable;

  constructor(output: AsyncIterable<Uint8Array>, input: Writable) {
    super();
    this.#output = output[Symbol.asyncIterator]();
    this.#input = input;
    input.once('close', () => this.destroy());
    this.once('end', () => this.destroy()); // an end is no reason for HTTP/2 to stop waiting
  }

  override _read(): void {
    this.#output.next().then(
      ({ done, value }) => this.push(done === true ? null : value),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  override _write(chunk: Uint8Array, _: string, done: (error?: Error | null) => void): void {
    this.#input.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#input.end(done);
  }
}
