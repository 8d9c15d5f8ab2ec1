import { closeSync, fstatSync } from 'node:fs';
import { displayPath, type RawPath } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { PageChecks } from '../content.ts';
import type { Bytes } from './protocol.ts';
import type { SharedBytes } from './ranges.ts';
import { openSource, reasonOf } from './source-file.ts';

/** A large file, opened once: all its ranges come from this very file, whatever takes its name meanwhile. */
export class OpenFile implements SharedBytes, Disposable {
  readonly name: string;
  readonly bytes: Bytes;
  readonly pages: PageChecks | undefined;
  readonly #fd: number;
  readonly #end: number | undefined;

  /** With `live`, of a file that is written to meanwhile: so many bytes of it count. */
  constructor(path: RawPath, live?: { readonly endBytes: number; readonly pages: PageChecks | undefined }) {
    const end = live?.endBytes;
    this.#end = end;
    this.pages = live?.pages;
    this.name = displayPath(path);
    try {
      this.#fd = openSource(path);
    } catch (error) {
      throw new HoldfastError('source-failed', `cannot read ${this.name}: ${reasonOf(error)}`, { cause: error });
    }
    this.bytes = end === undefined ? { kind: 'descriptor', fd: this.#fd } : { kind: 'live', fd: this.#fd, end };
  }

  get end(): number {
    return this.#end ?? fstatSync(this.#fd).size;
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
