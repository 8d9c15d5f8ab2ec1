import type { BackupPart } from './base-backup.ts';

/** A sequence of parts, read one by one or, where bytes follow, as one run of bytes. */
export class Parts {
  readonly #parts: AsyncIterator<BackupPart>;
  #ahead: IteratorResult<BackupPart> | undefined;

  constructor(parts: AsyncIterable<BackupPart>) {
    this.#parts = parts[Symbol.asyncIterator]();
  }

  /** undefined at the end. */
  async next(): Promise<BackupPart | undefined> {
    const result = this.#ahead ?? (await this.#parts.next());
    this.#ahead = result.done === true ? result : undefined;
    return result.done === true ? undefined : result.value;
  }

  /** As far as nothing else comes between them. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    for (;;) {
      this.#ahead ??= await this.#parts.next();
      if (this.#ahead.done === true || this.#ahead.value.kind !== 'bytes') return;
      const { bytes } = this.#ahead.value;
      this.#ahead = undefined;
      yield bytes;
    }
  }
}
