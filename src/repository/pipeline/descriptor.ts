import { closeSync, fstatSync } from 'node:fs';
import { displayPath, type RawPath } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Bytes } from './protocol.ts';
import type { SharedBytes } from './ranges.ts';
import { openSource, reasonOf } from './source-file.ts';

/** A large file, opened once: all its ranges come from this very file, whatever takes its name meanwhile. */
export class OpenFile implements SharedBytes, Disposable {
  readonly name: string;
  readonly bytes: Bytes;
  readonly #fd: number;

  constructor(path: RawPath) {
    this.name = displayPath(path);
    try {
      this.#fd = openSource(path);
    } catch (error) {
      throw new HoldfastError('source-failed', `cannot read ${this.name}: ${reasonOf(error)}`, { cause: error });
    }
    this.bytes = { kind: 'descriptor', fd: this.#fd };
  }

  get end(): number {
    return fstatSync(this.#fd).size;
  }

  async cuttable(): Promise<number> {
    return Infinity;
  }

  /** The system caches what it likes. */
  release(): void {}

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
